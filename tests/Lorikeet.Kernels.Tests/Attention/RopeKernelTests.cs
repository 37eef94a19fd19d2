using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class RopeKernelTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_width_agrees_with_the_reference_and_turns_back(bool interleaved) => Tiers.Each(tier =>
    {
        const int rows = 3, heads = 2;
        int* positions = stackalloc int[rows] { 0, 7, 100_000 };
        foreach (int half in Tiers.Lengths)
        {
            int headDim = 2 * half + half % 3, ldx = heads * headDim + 5;
            using FloatBlock frequencies = new(half), cos = new(rows * half), sin = new(rows * half), x = FloatBlock.Random(half, rows * ldx);
            for (int i = 0; i < half; i++)
                frequencies[i] = (float)Math.Pow(10_000, -(double)i / Math.Max(half, 1));
            RopeKernel.Tables(positions, rows, frequencies, half, 1, cos, sin);
            using FloatBlock y = x.Clone(), expected = x.Clone();
            RopeKernel.Apply(y, ldx, rows, heads, headDim, cos, sin, half, interleaved, inverse: false);
            RopeReference.Apply(expected, ldx, rows, heads, headDim, cos, sin, half, interleaved, inverse: false);
            y.ShouldBeClose(expected, 2e-7, 3e-7, $"{tier} half={half}");
            RopeKernel.Apply(y, ldx, rows, heads, headDim, cos, sin, half, interleaved, inverse: true);
            y.ShouldBeClose(x, 1e-6, 1e-6, $"{tier} half={half} and back");
        }
    });

    [Fact]
    public void Angles_are_single_products_and_their_functions_exact()
    {
        int* positions = stackalloc int[2] { 131_071, 3 };
        using FloatBlock frequencies = new(2), cos = new(4), sin = new(4);
        (frequencies[0], frequencies[1]) = (0.7498942f, 1);
        RopeKernel.Tables(positions, 2, frequencies, 2, 1.25f, cos, sin);
        cos[0].ShouldBe(1.25f * (float)Math.Cos(131_071f * 0.7498942f));
        sin[0].ShouldBe(1.25f * (float)Math.Sin(131_071f * 0.7498942f));
        cos[3].ShouldBe(1.25f * (float)Math.Cos(3));
        using FloatBlock wantedCos = new(4), wantedSin = new(4);
        RopeReference.Tables(positions, 2, frequencies, 2, 1.25f, wantedCos, wantedSin);
        cos.ShouldEqualBits(wantedCos, "cos");
        sin.ShouldEqualBits(wantedSin, "sin");
    }

    [Fact]
    public void Only_the_named_dimensions_turn()
    {
        using FloatBlock x = FloatBlock.Random(1, 10), y = x.Clone(), cos = new(2), sin = new(2);
        (sin[0], sin[1]) = (1, 1);
        RopeKernel.Apply(y, 10, 1, 1, 10, cos, sin, 2, interleaved: false, inverse: false);
        y.Span.ToArray().ShouldBe([-x[2], -x[3], x[0], x[1], x[4], x[5], x[6], x[7], x[8], x[9]]);
        x.Span.CopyTo(y.Span);
        RopeKernel.Apply(y, 10, 1, 1, 10, cos, sin, 2, interleaved: true, inverse: false);
        y.Span.ToArray().ShouldBe([-x[1], x[0], -x[3], x[2], x[4], x[5], x[6], x[7], x[8], x[9]]);
    }
}
