namespace Lorikeet.Kernels;

/// <summary>What this machine can do at best; shares of it say how good a kernel is.</summary>
/// <param name="Threads">Threads that ran for the figures of all cores: <see cref="ComputePool.Threads"/>.</param>
/// <param name="FmaOneCore">Single-precision multiply-adds of one core with all operands in registers, in 10⁹ operations a second, a multiply-add being two.</param>
/// <param name="FmaAllCores">The same, of all threads together.</param>
/// <param name="ReadOneCore">Reading memory that no cache holds by one core, in 10⁹ bytes a second.</param>
/// <param name="ReadAllCores">The same, by all threads together.</param>
public sealed record MachineSpeed(int Threads, double FmaOneCore, double FmaAllCores, double ReadOneCore, double ReadAllCores)
{
    /// <summary>Dot products of bfloat16 pairs by one core, in 10⁹ operations a second (four to each pair); 0 where the processor has none.</summary>
    public double BF16OneCore { get; init; }

    /// <summary>The same, by all threads together.</summary>
    public double BF16AllCores { get; init; }

    /// <summary>Dot products of four unsigned and four signed bytes by one core, in 10⁹ operations a second (eight to each four); 0 where the processor has none.</summary>
    public double Int8OneCore { get; init; }

    /// <summary>The same, by all threads together.</summary>
    public double Int8AllCores { get; init; }
}
