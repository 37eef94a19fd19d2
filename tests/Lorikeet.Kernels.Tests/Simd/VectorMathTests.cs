namespace Lorikeet.Kernels.Tests;

public sealed unsafe class VectorMathTests
{
    /// <summary>exp of a vector, as a job so that it runs in every width.</summary>
    private readonly struct ExpOp : IRowOp
    {
        public static int Inputs => 1;

        public static V Apply<S, V, D>(V a, V b, V c, V s)
            where S : struct, ISimd<V, D>
            where V : unmanaged
            where D : unmanaged
            => VectorMath.Exp<S, V, D>(a);
    }

    private readonly struct ExpOfNegativeOp : IRowOp
    {
        public static int Inputs => 1;

        public static V Apply<S, V, D>(V a, V b, V c, V s)
            where S : struct, ISimd<V, D>
            where V : unmanaged
            where D : unmanaged
            => VectorMath.ExpOfNegative<S, V, D>(a);
    }

    [Fact]
    public void Exp_of_negative_numbers_is_within_a_ten_millionth_of_one() => Tiers.Each(tier =>
    {
        const int n = 1 << 16;
        using FloatBlock x = new(n), y = new(n);
        for (int i = 0; i < n; i++)
            x[i] = -110f + 110.5f * i / (n - 1);
        x[0] = float.NegativeInfinity;
        RowJob<ExpOfNegativeOp>.Run(x, null, null, y, 0, n);
        y[0].ShouldBe(0);
        double worst = 0;
        for (int i = 0; i < n; i++)
            worst = Math.Max(worst, Math.Abs(y[i] - Math.Exp(x[i])));
        worst.ShouldBeLessThan(1.3e-7, tier.ToString());
        y.Span.ToArray().ShouldAllBe(result => result == 0 || float.IsNormal(result));
        x[0] = float.NaN;
        RowJob<ExpOfNegativeOp>.Run(x, null, null, y, 0, n);
        y[0].ShouldBe(float.NaN);
    });

    [Fact]
    public void Exp_is_within_one_ulp_over_its_range() => Tiers.Each(tier =>
    {
        const int n = 1 << 16;
        using var x = new FloatBlock(n);
        using var y = new FloatBlock(n);
        for (int i = 0; i < n; i++)
            x[i] = -87.3f + 176f * i / n;
        RowJob<ExpOp>.Run(x, null, null, y, 0, n);
        double worst = 0;
        for (int i = 0; i < n; i++)
        {
            double exact = Math.Exp(x[i]);
            worst = Math.Max(worst, Math.Abs(y[i] - exact) / (MathF.BitIncrement((float)exact) - (float)exact));
        }
        worst.ShouldBeLessThan(1.0, tier.ToString());
    });

    [Fact]
    public void Exp_handles_the_ends_of_its_range() => Tiers.Each(tier =>
    {
        float[] at = [float.NegativeInfinity, -1000, -104, -103, -100, -88, 0, -0f, 88.72f, 88.73f, 1000, float.PositiveInfinity, float.NaN,
            1e-30f, -1e-30f, 1];
        using var x = new FloatBlock(at.Length);
        using var y = new FloatBlock(at.Length);
        at.CopyTo(x.Span);
        RowJob<ExpOp>.Run(x, null, null, y, 0, at.Length);
        for (int i = 0; i < at.Length; i++)
        {
            double exact = Math.Exp(at[i]);
            if (double.IsNaN(exact) || float.IsInfinity((float)exact))
                y[i].ShouldBe((float)exact, $"{tier}: exp({at[i]})");
            else
                Math.Abs(y[i] - exact).ShouldBeLessThanOrEqualTo(1.2e-7 * exact + 1.5 * float.Epsilon, $"{tier}: exp({at[i]})");
        }
        y[0].ShouldBe(0f);
        y[1].ShouldBe(0f);
        y[6].ShouldBe(1f);
    });

    [Fact]
    public void Every_width_gives_the_same_bits()
    {
        using FloatBlock x = FloatBlock.Random(1, 1003, 20);
        using var expected = new FloatBlock(x.Length);
        Tiers.With(KernelTier.Reference, () => RowJob<ExpOp>.Run(x, null, null, expected, 0, x.Length));
        Tiers.Each(tier =>
        {
            using var y = new FloatBlock(x.Length);
            RowJob<ExpOp>.Run(x, null, null, y, 0, x.Length);
            y.ShouldEqualBits(expected, tier.ToString());
        });
    }
}
