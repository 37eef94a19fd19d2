using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The arithmetic of one AdamW step over flat memory.</summary>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Beta1">Decay of the mean.</param>
/// <param name="Beta2">Decay of the mean square.</param>
/// <param name="Epsilon">Added to the root.</param>
/// <param name="WeightDecay">Times the learning rate, taken from the values first.</param>
/// <param name="Correction1">1 - beta1^steps.</param>
/// <param name="Correction2">1 - beta2^steps.</param>
/// <param name="GradScale">Factor of the gradients.</param>
public readonly record struct AdamWUpdate(
    double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, double Correction1, double Correction2, float GradScale)
{
    /// <summary>Elements of a block of moments in eight bits, which share a magnitude.</summary>
    public const int Block = AdamW8Kernel.Block;

    /// <summary>Magnitudes of a tensor's moments in eight bits.</summary>
    public static long Blocks(long elements) => AdamW8Kernel.Blocks(elements);

    /// <summary>Updates <paramref name="count"/> values from <paramref name="first"/> on; all four tensors are f32, contiguous, of the same size.</summary>
    public unsafe void Apply(Tensor values, Tensor grads, Tensor mean, Tensor square, long first, long count)
    {
        if (first < 0 || count < 0 || first > values.Shape.Elements - count)
            throw new ArgumentException($"values {first}..{first + count} of {values}");
        if (count > 0)
        {
            AdamWKernel.Step(values.F + first, grads.F + first, mean.F + first, square.F + first, count, LearningRate, Beta1, Beta2, Epsilon,
                WeightDecay, Correction1, Correction2, GradScale);
        }
    }

    /// <summary>
    /// The same with moments in eight bits: codes (U8, as many as values) and magnitudes (F32, one for each <see cref="Block"/> of them).
    /// <paramref name="first"/> begins a block.
    /// </summary>
    public unsafe void Apply8(Tensor values, Tensor grads, Tensor mean, Tensor meanScales, Tensor square, Tensor squareScales, long first, long count)
    {
        if (first < 0 || count < 0 || first > values.Shape.Elements - count || first % Block != 0)
            throw new ArgumentException($"values {first}..{first + count} of {values}");
        if (count > 0)
        {
            AdamW8Kernel.Step(values.F + first, grads.F + first, mean.Pointer + first, meanScales.F + first / Block, square.Pointer + first, squareScales.F + first / Block, count,
                LearningRate, Beta1, Beta2, Epsilon, WeightDecay, Correction1, Correction2, GradScale);
        }
    }

    /// <summary>Makes moments in eight bits those of an optimiser that has seen nothing.</summary>
    public static unsafe void Clear8(Tensor mean, Tensor meanScales, Tensor square, Tensor squareScales) =>
        AdamW8Kernel.Clear(mean.Pointer, meanScales.F, square.Pointer, squareScales.F, mean.Shape.Elements);
}
