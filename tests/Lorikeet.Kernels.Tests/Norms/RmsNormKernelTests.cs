using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class RmsNormKernelTests
{
    [Theory]
    [InlineData(true, 0f)]
    [InlineData(true, 1f)]
    [InlineData(false, 0f)]
    public void Every_length_and_width_agrees_with_the_reference(bool weighted, float offset) => Tiers.Each(tier =>
    {
        foreach (int dim in Tiers.Lengths.Skip(1).Concat([576]))
        {
            const int rows = 4;
            int ldx = dim + 3, ldy = dim + 5;
            string what = $"{tier} dim={dim}";
            using FloatBlock x = FloatBlock.Random(dim, rows * ldx), w = FloatBlock.Random(dim + 1, dim), dy = FloatBlock.Random(dim + 2, rows * ldy);
            using FloatBlock y = new(rows * ldy), expected = new(rows * ldy), inverse = new(rows), wantedInverse = new(rows);
            float* weight = weighted ? w.P : null;
            RmsNormKernel.Forward(x, ldx, weight, offset, y, ldy, inverse, rows, dim, 1e-5f);
            RmsNormReference.Forward(x, ldx, weight, offset, expected, ldy, wantedInverse, rows, dim, 1e-5f);
            y.ShouldBeClose(expected, 1e-6, 1e-7, what);
            inverse.ShouldBeClose(wantedInverse, 1e-6, 0, what);
            foreach (bool accumulate in new[] { false, true })
            {
                using FloatBlock dx = x.Clone(), wantedDx = x.Clone(), dw = w.Clone(), wantedDw = w.Clone();
                RmsNormKernel.Backward(dy, ldy, x, ldx, weight, offset, inverse, dx, ldx, accumulate, dw, rows, dim);
                RmsNormReference.Backward(dy, ldy, x, ldx, weight, offset, wantedInverse, wantedDx, ldx, accumulate, wantedDw, rows, dim);
                dx.ShouldBeClose(wantedDx, 2e-6, 3e-6, what + " dx");
                dw.ShouldBeClose(wantedDw, 2e-6, 3e-6, what + " dw");
            }
        }
    });

    [Fact]
    public void The_reference_derivative_is_the_slope_of_the_loss()
    {
        const int rows = 2, dim = 7;
        const float step = 1 / 64f;
        using FloatBlock x = FloatBlock.Random(1, rows * dim), w = FloatBlock.Random(2, dim), dy = FloatBlock.Random(3, rows * dim);
        using FloatBlock y = new(rows * dim), inverse = new(rows), dx = new(rows * dim), dw = new(dim);
        RmsNormReference.Forward(x, dim, w, 1, y, dim, inverse, rows, dim, 1e-2f);
        RmsNormReference.Backward(dy, dim, x, dim, w, 1, inverse, dx, dim, false, dw, rows, dim);
        for (int i = 0; i < rows * dim; i++)
            ((double)dx[i]).ShouldBe(Slopes.Of(x, i, step, Loss), 1e-3, $"dx[{i}]");
        for (int i = 0; i < dim; i++)
            ((double)dw[i]).ShouldBe(Slopes.Of(w, i, step, Loss), 1e-3, $"dw[{i}]");

        double Loss()
        {
            RmsNormReference.Forward(x, dim, w, 1, y, dim, null, rows, dim, 1e-2f);
            return VectorReference.Dot(y, dy, rows * dim);
        }
    }

    [Fact]
    public void The_gradient_may_be_overwritten_by_the_result()
    {
        const int rows = 3, dim = 50;
        using FloatBlock x = FloatBlock.Random(1, rows * dim), w = FloatBlock.Random(2, dim), dy = FloatBlock.Random(3, rows * dim);
        using FloatBlock inverse = new(rows), dx = new(rows * dim), dw = new(dim), dwInPlace = new(dim), y = new(rows * dim);
        RmsNormKernel.Forward(x, dim, w, 0, y, dim, inverse, rows, dim, 1e-6f);
        RmsNormKernel.Backward(dy, dim, x, dim, w, 0, inverse, dx, dim, false, dw, rows, dim);
        RmsNormKernel.Backward(dy, dim, x, dim, w, 0, inverse, dy, dim, false, dwInPlace, rows, dim);
        dy.ShouldEqualBits(dx, "dx over dy");
        dwInPlace.ShouldEqualBits(dw, "dWeight");
    }
}
