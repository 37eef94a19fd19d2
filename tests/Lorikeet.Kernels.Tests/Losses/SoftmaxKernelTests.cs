using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class SoftmaxKernelTests
{
    [Fact]
    public void Every_length_and_width_agrees_with_the_reference() => Tiers.Each(tier =>
    {
        foreach (int dim in Tiers.Lengths.Concat([1000]))
        {
            const int rows = 3;
            int ldx = dim + 1, ldy = dim + 2;
            string what = $"{tier} dim={dim}";
            using FloatBlock x = FloatBlock.Random(dim, rows * ldx, 5), dy = FloatBlock.Random(dim + 1, rows * ldy);
            using FloatBlock y = new(rows * ldy), expected = new(rows * ldy), lse = new(rows), wantedLse = new(rows);
            SoftmaxKernel.Forward(x, ldx, y, ldy, rows, dim);
            SoftmaxReference.Forward(x, ldx, expected, ldy, rows, dim);
            y.ShouldBeClose(expected, 5e-7, 1e-9, what);
            SoftmaxKernel.LogSumExp(x, ldx, lse, rows, dim);
            SoftmaxReference.LogSumExp(x, ldx, wantedLse, rows, dim);
            lse.ShouldBeClose(wantedLse, 2e-7, 2e-7, what);
            foreach (bool accumulate in new[] { false, true })
            {
                using FloatBlock dx = x.Clone(), wanted = x.Clone();
                SoftmaxKernel.Backward(dy, ldy, expected, ldy, dx, ldx, accumulate, rows, dim);
                SoftmaxReference.Backward(dy, ldy, expected, ldy, wanted, ldx, accumulate, rows, dim);
                dx.ShouldBeClose(wanted, 1e-6, 2e-7, what);
            }
        }
    });

    [Fact]
    public void Huge_and_masked_rows_are_exact()
    {
        using FloatBlock x = new(4), y = new(4), lse = new(1);
        (x[0], x[1], x[2], x[3]) = (1e30f, float.NegativeInfinity, 1e30f, -1e30f);
        SoftmaxKernel.Forward(x, 4, y, 4, 1, 4);
        y.Span.ToArray().ShouldBe([0.5f, 0, 0.5f, 0]);
        x.Span.Fill(float.NegativeInfinity);
        SoftmaxKernel.Forward(x, 4, y, 4, 1, 4);
        y.Span.ToArray().ShouldAllBe(v => v == 0);
        SoftmaxKernel.LogSumExp(x, 4, lse, 1, 4);
        lse[0].ShouldBe(float.NegativeInfinity);
        x[2] = float.NaN;
        SoftmaxKernel.LogSumExp(x, 4, lse, 1, 4);
        lse[0].ShouldBe(float.NaN);
    }
}
