using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>What a tape says of rounding reaches the products with weights and their derivatives, and nothing else.</summary>
public class PrecisionTests
{
    [Fact]
    public void Products_and_their_derivatives_round_to_bfloat16_where_the_tape_says_so()
    {
        (float[] y, float[] dx) exact = Run(GemmPrecision.Single), rounded = Run(GemmPrecision.BF16);
        Share(rounded.y, exact.y).ShouldBeInRange(1e-5, 1e-2);
        Share(rounded.dx, exact.dx).ShouldBeInRange(1e-5, 1e-2);
    }

    // more rows than those that wait for memory, which are not rounded
    private static (float[] Y, float[] Dx) Run(GemmPrecision precision)
    {
        Random random = new(3);
        Tensor x = Tensor.FromValues(Numbers(random, 40 * 64), new Shape(40, 64)), w = Tensor.FromValues(Numbers(random, 48 * 64), new Shape(48, 64));
        x.RequiresGrad = true;
        x.Grad = Tensor.Create(x.Shape);
        using Tape tape = new() { Recording = true, Precision = precision };
        Tensor y = Tape.Keep(tape.Linear(x, w));
        float[] values = y.Values.ToArray();
        tape.Backward(tape.SquaredError(y, Tensor.Create(y.Shape), 1));
        return (values, x.Grad.Values.ToArray());
    }

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];

    private static double Share(float[] found, float[] expected) =>
        Math.Sqrt(found.Zip(expected, (a, b) => Math.Pow(a - b, 2)).Sum() / expected.Sum(b => (double)b * b));
}
