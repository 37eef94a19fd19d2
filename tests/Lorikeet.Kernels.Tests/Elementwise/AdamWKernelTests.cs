using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class AdamWKernelTests
{
    [Theory]
    [InlineData(0.9)]
    [InlineData(0.3)]
    public void Many_steps_of_every_length_and_width_follow_the_reference(double beta1) => Tiers.Each(tier =>
    {
        foreach (int n in Tiers.Lengths)
        {
            using FloatBlock w = FloatBlock.Random(n, n), wanted = w.Clone();
            using FloatBlock m = new(n), v = new(n), wantedM = new(n), wantedV = new(n);
            for (int step = 1; step <= 5; step++)
            {
                using FloatBlock g = FloatBlock.Random(n + step, n);
                double c1 = 1 - Math.Pow(beta1, step), c2 = 1 - Math.Pow(0.999, step);
                AdamWKernel.Step(w, g, m, v, n, 1e-2, beta1, 0.999, 1e-8, 0.1, c1, c2, 0.5f);
                AdamWReference.Step(wanted, g, wantedM, wantedV, n, 1e-2, beta1, 0.999, 1e-8, 0.1, c1, c2, 0.5f);
            }
            // equal but where a processor cannot fuse
            w.ShouldBeClose(wanted, 2e-7, 2e-7, $"{tier} n={n}");
            m.ShouldBeClose(wantedM, 2e-7, 1e-7, $"{tier} m n={n}");
            v.ShouldBeClose(wantedV, 2e-7, 0, $"{tier} v n={n}");
        }
    });

    [Fact]
    public void One_step_from_rest_moves_each_weight_by_the_learning_rate()
    {
        using FloatBlock w = new(3), m = new(3), v = new(3), g = new(3);
        w.Span.Fill(1);
        (g[0], g[1], g[2]) = (0.5f, -2, 0);
        AdamWKernel.Step(w, g, m, v, 3, 0.01, 0.9, 0.999, 1e-8, 0, 1 - 0.9, 1 - 0.999, 1);
        w[0].ShouldBe(0.99f, 1e-6f);
        w[1].ShouldBe(1.01f, 1e-6f);
        w[2].ShouldBe(1f);
    }
}
