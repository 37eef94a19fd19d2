using System.Diagnostics;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>
/// Which kernels run each kind of product, chosen once: what <see cref="Isa.Variable"/> says, or else whichever was faster in a short measurement. Its
/// figures are kept in the user's folder for caches, by processor model; where the file is missing, damaged or cannot be written, it is measured again.
/// </summary>
public static unsafe class KernelChoice
{
    /// <summary>Assembled kernels are taken unless they are slower by more than measurements waver.</summary>
    private const double Even = 0.97;

    /// <summary>Rounding factors must pay for more than the change of speed that a measurement shows by chance.</summary>
    private const double Worth = 1.1;

    private static readonly KernelRates? Rates = MayMeasure ? Find(KernelRates.DefaultFile()) : null;

    /// <summary>The kernels of products in single precision.</summary>
    public static KernelTier Single { get; } = Rates is { } rates && rates.Assembled < Even * rates.Compiled ? Isa.Tier.Compiled() : Isa.Tier;

    /// <summary>True where products whose factors may be rounded to bfloat16 are faster than those in single precision.</summary>
    public static bool BF16IsFaster { get; } = Rates is { } rates && rates.BF16 > Worth * Math.Max(rates.Compiled, rates.Assembled);

    /// <summary>True where stored codes are multiplied by dot products of bytes that the processor has: see <see cref="GemmPrecision.Int8"/>, which works without too.</summary>
    public static bool HasInt8 => Int8 is IntegerDots.Avx512Vnni or IntegerDots.AvxVnni || (Int8 is IntegerDots.Compiled && System.Runtime.Intrinsics.Arm.Dp.IsSupported);

    /// <summary>True where plain loops run everything.</summary>
    public static bool IsReference => Int8 is null;

    /// <summary>What multiplies stored codes, or null for the reference.</summary>
    internal static IntegerDots? Int8 { get; } = QuantizedPlan.DotsOf(Isa.Tier);

    /// <summary>Why these kernels were chosen: one line for each kind of product.</summary>
    public static IReadOnlyList<string> Reasons { get; } = Rates is not { } rates
        ? [$"{Isa.Tier.ToString().ToLowerInvariant()}: {Isa.WhyOther ?? (Asked ? $"{Isa.Variable} says so" : Isa.WhyNotAssembled ?? "there is nothing faster")}"]
        :
        [
            FormattableString.Invariant($"f32: {(Single == Isa.Tier ? "assembled" : "compiled")} ({rates.Assembled:0} GFLOP/s assembled, {rates.Compiled:0} compiled)"),
            rates.BF16 > 0
                ? FormattableString.Invariant($"bf16: {(BF16IsFaster ? "faster than f32" : "not worth its rounding")} ({rates.BF16:0} GFLOP/s)")
                : "bf16: the processor has no dot products of bfloat16 (AVX512-BF16)",
            "int8: stored codes are multiplied as integers, " + QuantizedPlan.DotsOf(Isa.Tier) switch
            {
                IntegerDots.Avx512Vnni => "dot products of bytes in 512-bit registers (AVX512-VNNI)",
                IntegerDots.AvxVnni => "dot products of bytes in 256-bit registers (AVX-VNNI)",
                IntegerDots.Avx2 => "in pairs and pairs of pairs (AVX2): the processor has no dot products of bytes",
                _ => "by compiled code",
            },
        ];

    private static bool Asked => !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(Isa.Variable));

    private static bool MayMeasure => Isa.Tier != Isa.Tier.Compiled();

    /// <summary>The rates of a file, or measured and written to it.</summary>
    internal static KernelRates Find(string? file)
    {
        if (file is not null && KernelRates.Load(file) is { } known)
            return known;
        KernelRates measured = Measure();
        if (file is not null)
            measured.Save(file);
        return measured;
    }

    /// <summary>Runs every candidate in turn a few times, within some 20 ms once their code is compiled, and keeps the best of each.</summary>
    private static KernelRates Measure()
    {
        const int M = 112, N = 128, K = 768;
        const long Bytes = (M * K + N * K + M * N) * sizeof(float);
        float* memory = (float*)LargeMemory.Allocate(Bytes, zeroed: false);
        try
        {
            for (int i = 0; i < (M + N) * K; i++)
                memory[i] = i % 61 / 61f - 0.5f;
            KernelTier compiled = Isa.Tier.Compiled();
            bool bf16 = GemmTiles.Has(Isa.Tier, TileKind.BF16);
            Span<double> best = [0, 0, 0];
            for (int round = 0; round < 5; round++)
            {
                for (int candidate = 0; candidate < (bf16 ? 3 : 2); candidate++)
                {
                    GemmCall call = new()
                    {
                        M = M,
                        N = N,
                        K = K,
                        A = new GemmOperand(memory, DType.F32, K),
                        B = new GemmOperand(memory + M * K, DType.F32, K),
                        Alpha = 1,
                        C = memory + (M + N) * K,
                        StrideC = N,
                        Precision = candidate == 2 ? GemmPrecision.BF16 : GemmPrecision.Single,
                    };
                    long start = Stopwatch.GetTimestamp();
                    GemmPlan.Run(call, candidate == 0 ? compiled : Isa.Tier, threads: 1);
                    best[candidate] = Math.Max(best[candidate], 2.0 * M * N * K / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
                }
            }
            return new KernelRates(best[0], best[1], best[2]);
        }
        finally
        {
            LargeMemory.Free(memory, Bytes);
        }
    }
}
