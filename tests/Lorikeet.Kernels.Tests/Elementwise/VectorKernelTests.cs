using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class VectorKernelTests
{
    [Fact]
    public void Elementwise_operations_of_every_length_and_width() => Tiers.Each(tier =>
    {
        foreach (int n in Tiers.Lengths)
        {
            using FloatBlock a = FloatBlock.Random(n, n), b = FloatBlock.Random(n + 1, n), c = FloatBlock.Random(n + 2, n);
            Check(n, y => VectorKernel.Fill(3.5f, y, n), _ => 3.5);
            Check(n, y => VectorKernel.Copy(a, y, n), i => a[i]);
            Check(n, y => VectorKernel.Add(a, b, y, n), i => (double)a[i] + b[i]);
            Check(n, y => VectorKernel.Subtract(a, b, y, n), i => (double)a[i] - b[i]);
            Check(n, y => VectorKernel.Scale(-1.5f, a, y, n), i => -1.5 * a[i]);
            Check(n, y => VectorKernel.Mul(a, b, y, n), i => (double)a[i] * b[i]);
            Check(n, y => VectorKernel.MulAdd(a, b, c, y, n), i => (double)a[i] * b[i] + c[i]);
            Check(n, y => { VectorKernel.Copy(c, y, n); VectorKernel.AddTo(a, y, n); }, i => (double)a[i] + c[i]);
            Check(n, y => { VectorKernel.Copy(c, y, n); VectorKernel.Axpy(0.3f, a, y, n); }, i => (double)0.3f * a[i] + c[i]);
            Check(n, y => { VectorKernel.Copy(c, y, n); VectorKernel.MulAddTo(a, b, y, n); }, i => (double)a[i] * b[i] + c[i]);
        }

        void Check(int n, Action<FloatBlock> run, Func<long, double> exact)
        {
            using var y = new FloatBlock(n);
            run(y);
            for (int i = 0; i < n; i++)
                ((double)y[i]).ShouldBe(exact(i), 3e-7 + 6e-8 * Math.Abs(exact(i)), $"{tier} n={n} i={i}");
        }
    });

    [Fact]
    public void Sums_of_every_length_and_width_are_those_of_doubles() => Tiers.Each(tier =>
    {
        foreach (int n in Tiers.Lengths.Concat([1000, 70_001]))
        {
            using FloatBlock x = FloatBlock.Random(n, n), y = FloatBlock.Random(n + 1, n);
            VectorKernel.Dot(x, y, n).ShouldBe(VectorReference.Dot(x, y, n), 1e-13 * (n + 1));
            VectorKernel.SumSquares(x, n).ShouldBe(VectorReference.Dot(x, x, n), 1e-13 * (n + 1));
            VectorKernel.Sum(x, n).ShouldBe(VectorReference.Sum(x, n), 1e-13 * (n + 1));
            VectorKernel.MaxAbs(x, n).ShouldBe(VectorReference.MaxAbs(x, n));
            VectorKernel.FirstNonFinite(x, n).ShouldBe(-1);
        }
    });

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void The_first_element_that_is_not_finite_is_found(float bad) => Tiers.Each(tier =>
    {
        foreach (int n in new[] { 1, 7, 16, 33, 65, 40_000 })
        {
            for (int at = 0; at < n; at += Math.Max(1, n / 13))
            {
                using FloatBlock x = FloatBlock.Random(n, n);
                x[at] = bad;
                x[n - 1] = bad;
                VectorKernel.FirstNonFinite(x, n).ShouldBe(at, $"{tier} n={n}");
                VectorKernel.MaxAbs(x, n).ShouldBe(MathF.Abs(bad));
            }
        }
    });

    [Fact]
    public void Rows_and_columns_of_every_width() => Tiers.Each(tier =>
    {
        foreach (int dim in Tiers.Lengths.Concat([200]))
        {
            foreach (int rows in new[] { 1, 3, 70 })
            {
                int ldx = dim + 3, ldy = dim + 7;
                using FloatBlock x = FloatBlock.Random(dim, rows * ldx), y = FloatBlock.Random(dim + 1, rows * ldy), v = FloatBlock.Random(dim + 2, dim);
                string what = $"{tier} [{rows}, {dim}]";

                using (FloatBlock sum = v.Clone(), expected = v.Clone())
                {
                    VectorKernel.AddRowsTo(x, ldx, rows, dim, sum);
                    VectorReference.AddRowsTo(x, ldx, rows, dim, expected);
                    sum.ShouldBeClose(expected, 1e-6, 2e-6, what);
                }
                using (FloatBlock sum = v.Clone(), expected = v.Clone(), dx = x.Clone(), wanted = x.Clone())
                {
                    VectorKernel.ScaleColumnsBackward(y, ldy, x, ldx, v, dx, ldx, accumulate: true, sum, rows, dim);
                    VectorReference.AddProductRowsTo(y, ldy, x, ldx, rows, dim, expected);
                    sum.ShouldBeClose(expected, 1e-6, 5e-6, what);
                    ForEach(rows, dim, (r, i) => wanted[r * ldx + i] += y[r * ldy + i] * v[i]);
                    dx.ShouldBeClose(wanted, 1e-6, 1e-6, what);
                    VectorKernel.ScaleColumnsBackward(y, ldy, x, ldx, v, dx, ldx, accumulate: false, null, rows, dim);
                    ForEach(rows, dim, (r, i) => wanted[r * ldx + i] = y[r * ldy + i] * v[i]);
                    dx.ShouldEqualBits(wanted, what);
                }
                using (FloatBlock z = y.Clone(), wanted = y.Clone())
                {
                    VectorKernel.ScaleColumns(x, ldx, v, z, ldy, rows, dim);
                    ForEach(rows, dim, (r, i) => wanted[r * ldy + i] = x[r * ldx + i] * v[i]);
                    z.ShouldEqualBits(wanted, what);
                    VectorKernel.AddBias(z, ldy, v, rows, dim);
                    ForEach(rows, dim, (r, i) => wanted[r * ldy + i] += v[i]);
                    z.ShouldEqualBits(wanted, what);
                    VectorKernel.AxpyRows(2, x, ldx, z, ldy, rows, dim);
                    ForEach(rows, dim, (r, i) => wanted[r * ldy + i] += 2 * x[r * ldx + i]);
                    z.ShouldBeClose(wanted, 1e-6, 1e-6, what);
                    VectorKernel.CopyRows(x, ldx, z, ldy, rows, dim);
                    ForEach(rows, dim, (r, i) => wanted[r * ldy + i] = x[r * ldx + i]);
                    for (int r = 0; r < rows; r++)
                        for (int i = 0; i < dim; i++)
                            z[r * ldy + i].ShouldBe(x[r * ldx + i]);
                }
                using (var norms = new FloatBlock(rows))
                using (var expected = new FloatBlock(rows))
                {
                    VectorKernel.RowNorms(x, ldx, rows, dim, norms);
                    VectorReference.RowNorms(x, ldx, rows, dim, expected);
                    norms.ShouldBeClose(expected, 1e-7, 0, what);
                }
            }
        }
    });

    private static void ForEach(int rows, int dim, Action<int, int> visit)
    {
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < dim; i++)
                visit(r, i);
    }
}
