using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>What AdamW remembers of one parameter: moving means of its gradient and of the squares, in singles or in eight bits.</summary>
/// <param name="Mean">F32, or U8 codes.</param>
/// <param name="Square">The same of the squares.</param>
/// <param name="MeanScales">Magnitudes of the codes' blocks; null for singles.</param>
/// <param name="SquareScales">The same of the squares.</param>
public sealed record Moments(Tensor Mean, Tensor Square, Tensor? MeanScales, Tensor? SquareScales)
{
    // smaller tensors stay in singles, as bitsandbytes has it: they take no room, and their numbers are of very different size
    private const int LeastInEightBits = 4096;

    /// <summary>True where a tensor of so many elements is kept in eight bits when eight are asked for.</summary>
    public static bool InEightBits(OptimizerKind kind, long elements) => kind.EightBit && elements >= LeastInEightBits;

    /// <summary>Bytes that a tensor of so many elements needs.</summary>
    public static long BytesOf(OptimizerKind kind, long elements) =>
        InEightBits(kind, elements) ? 2 * (Aligned(elements) + Aligned(AdamWUpdate.Blocks(elements) * sizeof(float))) : 2 * Aligned(elements * sizeof(float));

    /// <summary>Every tensor, with what its name begins with in checkpoints.</summary>
    public IEnumerable<(string Prefix, Tensor Tensor)> Tensors
    {
        get
        {
            yield return ("exp_avg.", Mean);
            yield return ("exp_avg_sq.", Square);
            if (MeanScales is not null && SquareScales is not null)
            {
                yield return ("exp_avg_absmax.", MeanScales);
                yield return ("exp_avg_sq_absmax.", SquareScales);
            }
        }
    }

    /// <summary>True where every number is one. Of codes the magnitudes tell.</summary>
    public bool AreFinite => (MeanScales ?? Mean).FirstNonFinite() < 0 && (SquareScales ?? Square).FirstNonFinite() < 0;

    /// <summary>Moments of zero in memory of zeros.</summary>
    /// <param name="memory"><see cref="BytesOf"/>.</param>
    /// <param name="kind">How they are kept.</param>
    /// <param name="shape">Of the parameter.</param>
    internal static Moments In(NativeBytes memory, OptimizerKind kind, Shape shape)
    {
        long at = 0;
        if (!InEightBits(kind, shape.Elements))
            return new Moments(Take(DType.F32, shape), Take(DType.F32, shape), null, null);
        Shape scales = new(checked((int)AdamWUpdate.Blocks(shape.Elements)));
        Moments moments = new(Take(DType.U8, shape), Take(DType.U8, shape), Take(DType.F32, scales), Take(DType.F32, scales));
        AdamWUpdate.Clear8(moments.Mean, moments.MeanScales!, moments.Square, moments.SquareScales!);
        return moments;

        Tensor Take(DType type, Shape sizes)
        {
            long bytes = type.Bytes(sizes.Elements);
            Tensor tensor = Tensor.FromBytes(memory.Slice(at, bytes), type, sizes);
            at += Aligned(bytes);
            return tensor;
        }
    }

    private static long Aligned(long bytes) => (bytes + 63) & ~63L;
}
