using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class LayerNormKernelTests
{
    [Theory]
    [InlineData(true, 0f)]
    [InlineData(true, 1f)]
    [InlineData(false, 0f)]
    public void Every_length_and_width_agrees_with_the_reference(bool affine, float offset) => Tiers.Each(tier =>
    {
        foreach (int dim in Tiers.Lengths.Skip(2).Concat([768]))
        {
            const int rows = 4;
            int ldx = dim + 3, ldy = dim + 5;
            string what = $"{tier} dim={dim}";
            using FloatBlock x = FloatBlock.Random(dim, rows * ldx), w = FloatBlock.Random(dim + 1, dim), b = FloatBlock.Random(dim + 3, dim);
            using FloatBlock dy = FloatBlock.Random(dim + 2, rows * ldy), y = new(rows * ldy), expected = new(rows * ldy);
            using FloatBlock mean = new(rows), inverse = new(rows), wantedMean = new(rows), wantedInverse = new(rows);
            VectorKernel.AddBias(x, ldx, b, rows, 1);
            float* weight = affine ? w.P : null;
            float* bias = affine ? b.P : null;
            LayerNormKernel.Forward(x, ldx, weight, offset, bias, y, ldy, mean, inverse, rows, dim, 1e-5f);
            LayerNormReference.Forward(x, ldx, weight, offset, bias, expected, ldy, wantedMean, wantedInverse, rows, dim, 1e-5f);
            y.ShouldBeClose(expected, 2e-6, 2e-6, what);
            inverse.ShouldBeClose(wantedInverse, 2e-6, 0, what);
            mean.ShouldBeClose(wantedMean, 1e-6, 1e-7, what);
            foreach (bool accumulate in new[] { false, true })
            {
                using FloatBlock dx = x.Clone(), wantedDx = x.Clone(), dw = w.Clone(), wantedDw = w.Clone(), db = b.Clone(), wantedDb = b.Clone();
                LayerNormKernel.Backward(dy, ldy, x, ldx, weight, offset, wantedMean, wantedInverse, dx, ldx, accumulate, dw, db, rows, dim);
                LayerNormReference.Backward(dy, ldy, x, ldx, weight, offset, wantedMean, wantedInverse, wantedDx, ldx, accumulate, wantedDw, wantedDb, rows, dim);
                dx.ShouldBeClose(wantedDx, 2e-6, 5e-6 * Math.Max(1, VectorReference.MaxAbs(wantedInverse, rows)), what + " dx");
                dw.ShouldBeClose(wantedDw, 2e-6, 5e-6, what + " dw");
                db.ShouldBeClose(wantedDb, 2e-6, 3e-6, what + " db");
            }
        }
    });

    [Fact]
    public void The_reference_derivative_is_the_slope_of_the_loss()
    {
        const int rows = 2, dim = 7;
        const float step = 1 / 64f;
        using FloatBlock x = FloatBlock.Random(1, rows * dim), w = FloatBlock.Random(2, dim), b = FloatBlock.Random(4, dim), dy = FloatBlock.Random(3, rows * dim);
        using FloatBlock y = new(rows * dim), mean = new(rows), inverse = new(rows), dx = new(rows * dim), dw = new(dim), db = new(dim);
        LayerNormReference.Forward(x, dim, w, 0, b, y, dim, mean, inverse, rows, dim, 1e-2f);
        LayerNormReference.Backward(dy, dim, x, dim, w, 0, mean, inverse, dx, dim, false, dw, db, rows, dim);
        for (int i = 0; i < rows * dim; i++)
            ((double)dx[i]).ShouldBe(Slopes.Of(x, i, step, Loss), 1e-3, $"dx[{i}]");
        for (int i = 0; i < dim; i++)
        {
            ((double)dw[i]).ShouldBe(Slopes.Of(w, i, step, Loss), 1e-3, $"dw[{i}]");
            ((double)db[i]).ShouldBe(Slopes.Of(b, i, step, Loss), 1e-3, $"db[{i}]");
        }

        double Loss()
        {
            LayerNormReference.Forward(x, dim, w, 0, b, y, dim, null, null, rows, dim, 1e-2f);
            return VectorReference.Dot(y, dy, rows * dim);
        }
    }

    [Fact]
    public void A_large_common_offset_does_not_spoil_the_variance()
    {
        const int dim = 100;
        using FloatBlock x = FloatBlock.Random(1, dim), y = new(dim), expected = new(dim);
        for (int i = 0; i < dim; i++)
            x[i] += 1000;
        LayerNormKernel.Forward(x, dim, null, 0, null, y, dim, null, null, 1, dim, 1e-5f);
        LayerNormReference.Forward(x, dim, null, 0, null, expected, dim, null, null, 1, dim, 1e-5f);
        y.ShouldBeClose(expected, 1e-4, 2e-4, "offset");
    }
}
