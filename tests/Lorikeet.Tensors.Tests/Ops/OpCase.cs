namespace Lorikeet.Tensors.Tests;

/// <summary>One use of an op, small enough to check every element of every derivative.</summary>
/// <param name="Op">The file of the op in <c>src/Lorikeet.Tensors/Ops</c>, without its ending.</param>
/// <param name="Name">What is special here.</param>
/// <param name="Inputs">Tensors that may want a derivative or come in other layouts.</param>
/// <param name="Run">Runs the op; index tensors and the like it makes itself.</param>
internal sealed record OpCase(string Op, string Name, OpInput[] Inputs, Func<Tape, Tensor[], Tensor> Run)
{
    /// <summary>The name of a test.</summary>
    public string FullName => $"{Op}: {Name}";

    /// <inheritdoc/>
    public override string ToString() => FullName;
}
