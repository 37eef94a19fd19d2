using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class ActivationKernelTests
{
    public static TheoryData<Activation> All => [.. Enum.GetValues<Activation>()];

    [Theory]
    [MemberData(nameof(All))]
    public void Values_and_derivatives_are_within_a_millionth(Activation activation)
    {
        const int n = 16_000;
        using FloatBlock x = new(n), ones = new(n), y = new(n);
        double[] values = new double[n], derivatives = new double[n];
        for (int i = 0; i < n; i++)
        {
            x[i] = -16 + 32f * i / n + 0.00011f;
            (values[i], derivatives[i]) = (ActivationReference.Value(activation, x[i]), ActivationReference.Derivative(activation, x[i]));
        }
        ones.Span.Fill(1);
        Tiers.Each(tier =>
        {
            ActivationKernel.Forward(activation, x, y, n);
            for (int i = 0; i < n; i++)
                ShouldBeNear(y[i], values[i], 2e-10, tier, i);
            ActivationKernel.Backward(activation, ones, x, y, accumulate: false, n);
            for (int i = 0; i < n; i++)
                ShouldBeNear(y[i], derivatives[i], 2e-7, tier, i);
        });

        void ShouldBeNear(double actual, double exact, double absolute, KernelTier tier, int i)
        {
            if (Math.Abs(actual - exact) > 1e-6 * Math.Abs(exact) + absolute)
                Assert.Fail($"{tier}: {activation} of {x[i]} is {actual:R}, exactly {exact:R}: off by {Math.Abs(actual - exact) / Math.Abs(exact):E2} of it");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_reference_derivative_is_the_slope_of_the_value(Activation activation)
    {
        const double step = 1e-5;
        for (double x = -6.03; x < 6; x += 0.173)
        {
            double slope = (ActivationReference.Value(activation, x + step) - ActivationReference.Value(activation, x - step)) / (2 * step);
            ActivationReference.Derivative(activation, x).ShouldBe(slope, 1e-8, $"{activation} at {x}");
        }
    }

    [Fact]
    public void Erf_is_exact_at_known_points()
    {
        // Abramowitz and Stegun, table 7.1, and erfc at 5 and 10
        ErrorFunction.Erf(0.5).ShouldBe(0.5204998778130465, 1e-15);
        ErrorFunction.Erf(1).ShouldBe(0.8427007929497149, 1e-15);
        ErrorFunction.Erf(-2).ShouldBe(-0.9953222650189527, 1e-15);
        ErrorFunction.Erfc(1).ShouldBe(0.15729920705028513, 1e-15);
        (ErrorFunction.Erfc(5) / 1.5374597944280349e-12).ShouldBe(1, 1e-12);
        (ErrorFunction.Erfc(10) / 2.0884875837625447e-45).ShouldBe(1, 1e-12);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_length_and_width_agrees_with_the_reference(Activation activation) => Tiers.Each(tier =>
    {
        foreach (int n in Tiers.Lengths)
        {
            using FloatBlock x = FloatBlock.Random(n, n, 3), dy = FloatBlock.Random(n + 1, n), before = FloatBlock.Random(n + 2, n);
            using var y = new FloatBlock(n);
            using var expected = new FloatBlock(n);
            ActivationKernel.Forward(activation, x, y, n);
            ActivationReference.Forward(activation, x, expected, n);
            y.ShouldBeClose(expected, 1e-6, 1e-7, $"{tier} n={n}");
            foreach (bool accumulate in new[] { false, true })
            {
                before.Span.CopyTo(y.Span);
                before.Span.CopyTo(expected.Span);
                ActivationKernel.Backward(activation, dy, x, y, accumulate, n);
                ActivationReference.Backward(activation, dy, x, expected, accumulate, n);
                y.ShouldBeClose(expected, 1e-6, 4e-7, $"{tier} n={n} accumulate={accumulate}");
            }
        }
    });

    [Theory]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.GeluTanh)]
    public void Gated_rows_agree_with_the_reference(Activation activation) => Tiers.Each(tier =>
    {
        foreach (int dim in Tiers.Lengths)
        {
            const int rows = 3;
            int ldg = dim + 3, ldu = dim + 5, ldy = dim + 1;
            using FloatBlock gate = FloatBlock.Random(dim, rows * ldg, 2), up = FloatBlock.Random(dim + 1, rows * ldu), dy = FloatBlock.Random(dim + 2, rows * ldy);
            using var y = new FloatBlock(rows * ldy);
            using var expected = new FloatBlock(rows * ldy);
            ActivationKernel.GatedForward(activation, gate, ldg, up, ldu, y, ldy, rows, dim);
            ActivationReference.GatedForward(activation, gate, ldg, up, ldu, expected, ldy, rows, dim);
            y.ShouldBeClose(expected, 1e-6, 4e-7, $"{tier} dim={dim}");
            using FloatBlock dGate = gate.Clone(), dUp = up.Clone(), wantedGate = gate.Clone(), wantedUp = up.Clone();
            ActivationKernel.GatedBackward(activation, dy, ldy, gate, ldg, up, ldu, dGate, ldg, dUp, ldu, rows, dim);
            ActivationReference.GatedBackward(activation, dy, ldy, gate, ldg, up, ldu, wantedGate, ldg, wantedUp, ldu, rows, dim);
            dGate.ShouldBeClose(wantedGate, 1e-6, 1e-6, $"{tier} dGate dim={dim}");
            dUp.ShouldBeClose(wantedUp, 1e-6, 1e-6, $"{tier} dUp dim={dim}");
        }
    });

    [Fact]
    public void Outputs_may_lie_on_inputs()
    {
        const int rows = 5, dim = 37;
        using FloatBlock gate = FloatBlock.Random(1, rows * dim), up = FloatBlock.Random(2, rows * dim), dy = FloatBlock.Random(3, rows * dim);
        using var dGate = new FloatBlock(rows * dim);
        using var dUp = new FloatBlock(rows * dim);
        ActivationKernel.GatedBackward(Activation.Silu, dy, dim, gate, dim, up, dim, dGate, dim, dUp, dim, rows, dim);
        ActivationKernel.GatedBackward(Activation.Silu, dy, dim, gate, dim, up, dim, gate, dim, dy, dim, rows, dim);
        gate.ShouldEqualBits(dGate, "dGate over gate");
        dy.ShouldEqualBits(dUp, "dUp over dy");
    }

    [Fact]
    public void Infinities_and_NaN_pass_through()
    {
        using var x = new FloatBlock(20);
        using var y = new FloatBlock(20);
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            x.Span.Fill(float.NaN);
            ActivationKernel.Forward(activation, x, y, 20);
            y.Span.ToArray().ShouldAllBe(v => float.IsNaN(v), activation.ToString());
            x.Span.Fill(1e30f);
            ActivationKernel.Forward(activation, x, y, 20);
            ActivationReference.Forward(activation, x, x, 20);
            y.ShouldEqualBits(x, activation.ToString());
        }
    }
}
