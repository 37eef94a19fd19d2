using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class AttentionKernelTests
{
    /// <summary>
    /// Sizes that meet every path: one query and few, long keys in pieces, whole and broken tiles, panels and vectors, several blocks of queries and keys with
    /// a rest of each, groups of heads.
    /// </summary>
    private static IEnumerable<AttentionCase> Cases(Func<int, bool>? keep = null)
    {
        int n = 0;
        foreach (AttentionMask mask in Enum.GetValues<AttentionMask>())
        {
            foreach ((int queries, int keys, int heads, int kvHeads, int headDim, int valueDim) in new[]
            {
                (1, 1, 1, 1, 8, 8), (1, 300, 6, 2, 64, 64), (1, 1500, 3, 3, 20, 24), (2, 700, 2, 1, 33, 17), (5, 40, 1, 1, 16, 16),
                (3, 900, 8, 1, 32, 32), (7, 9, 2, 2, 1, 1), (13, 13, 4, 2, 8, 40), (97, 97, 3, 1, 64, 64), (100, 230, 2, 2, 80, 80), (130, 200, 9, 3, 24, 16),
                (200, 200, 1, 1, 128, 128), (531, 531, 2, 1, 20, 36), (291, 777, 1, 1, 65, 31), (6, 600, 1, 1, 64, 64), (4, 300, 4, 2, 16, 64), (1, 260, 32, 4, 128, 128),
            })
            {
                if (mask == AttentionMask.Documents && queries != keys)
                    continue;
                n++;
                if (keep is null || keep(n))
                    yield return new AttentionCase(queries, keys, heads, kvHeads, headDim, valueDim, mask, n % 3 == 0 ? 2.5f : 0, n);
            }
        }
    }

    [Fact]
    public void Forward_agrees_with_the_reference_in_every_width()
    {
        foreach (AttentionCase c in Cases())
        {
            using (c)
            {
                AttentionReference.Forward(c.Call);
                using FloatBlock expected = c.Out.Clone(), expectedLse = c.LogSumExp.Clone();
                Tiers.EachAndAssembled(tier =>
                {
                    AttentionKernel.Forward(c.Call);
                    c.Out.ShouldBeClose(expected, 1e-5, 2e-6, $"{tier} {c.Name}");
                    c.LogSumExp.ShouldBeClose(expectedLse, 1e-6, 2e-6, $"{tier} {c.Name} log-sum-exp");
                });
            }
        }
    }

    [Fact]
    public void Backward_agrees_with_the_reference_in_every_width()
    {
        foreach (AttentionCase c in Cases())
        {
            using (c)
            {
                AttentionReference.Forward(c.Call);
                using Gradients once = new(c), twice = new(c);
                once.RunReference(accumulate: false);
                twice.CopyFrom(once);
                twice.AddAgain(once);
                Tiers.EachAndAssembled(tier =>
                {
                    using Gradients actual = new(c);
                    actual.Run(accumulate: false);
                    actual.ShouldBeClose(once, $"{tier} {c.Name}");
                    actual.Run(accumulate: true);
                    actual.ShouldBeClose(twice, $"{tier} {c.Name} accumulated");
                });
            }
        }
    }

    [Fact]
    public void A_derivative_that_is_not_wanted_is_left_out()
    {
        using var c = new AttentionCase(70, 70, 4, 2, 16, 16, AttentionMask.Causal);
        AttentionKernel.Forward(c.Call);
        using Gradients all = new(c);
        all.Run(accumulate: false);
        for (int wanted = 0; wanted < 8; wanted++)
        {
            using Gradients some = new(c);
            some.Run(accumulate: false, (wanted & 1) != 0, (wanted & 2) != 0, (wanted & 4) != 0);
            if ((wanted & 1) != 0)
                some.Q.ShouldEqualBits(all.Q, $"dQ of {wanted}");
            if ((wanted & 2) != 0)
                some.K.ShouldEqualBits(all.K, $"dK of {wanted}");
            if ((wanted & 4) != 0)
                some.V.ShouldEqualBits(all.V, $"dV of {wanted}");
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1.5f)]
    public void The_reference_derivative_is_the_slope_of_the_loss(float softCap)
    {
        using var c = new AttentionCase(3, 5, 2, 1, 3, 2, AttentionMask.Causal, softCap);
        AttentionReference.Forward(c.Call);
        using Gradients gradients = new(c);
        gradients.RunReference(accumulate: false);
        Compare(c.Queries, gradients.Q, c.Call.Queries, c.Call.LdQ, 6, gradients.LdQ);
        Compare(c.Keys, gradients.K, c.Call.Keys, c.Call.LdK, 3, gradients.LdK);
        Compare(c.Values, gradients.V, c.Call.Keys, c.Call.LdV, 2, gradients.LdV);

        void Compare(FloatBlock x, FloatBlock dx, int rows, long ldx, int dim, long lddx)
        {
            for (int r = 0; r < rows; r++)
                for (int i = 0; i < dim; i++)
                    ((double)dx[r * lddx + i]).ShouldBe(Slopes.Of(x, r * ldx + i, 1 / 32f, Loss), 2e-5);
        }

        double Loss()
        {
            AttentionReference.Forward(c.Call);
            return VectorReference.Dot(c.Out, gradients.Out, c.Out.Length);
        }
    }

    [Fact]
    public void A_batch_of_calls_gives_what_each_gives_alone()
    {
        List<AttentionCase> cases = [.. Cases(n => n % 4 == 0)];
        AttentionCall[] calls = [.. cases.Select(c => c.Call)];
        fixed (AttentionCall* all = calls)
            AttentionKernel.ForwardBatch(all, calls.Length);
        foreach (AttentionCase c in cases)
        {
            using (c)
            {
                using FloatBlock y = c.Out.Clone(), lse = c.LogSumExp.Clone();
                AttentionKernel.Forward(c.Call);
                y.ShouldEqualBits(c.Out, c.Name);
                lse.ShouldEqualBits(c.LogSumExp, c.Name);
            }
        }
    }

    [Fact]
    public void Rows_that_no_query_sees_are_never_read()
    {
        // two documents; keys 40 to 59 belong to neither and hold NaN
        using var c = new AttentionCase(90, 130, 2, 1, 32, 32, AttentionMask.All);
        for (int i = 0; i < 90; i++)
            (c.Call.First[i], c.Call.Last[i]) = i < 40 ? (0, i + 1) : (60, 60 + i - 39);
        for (int j = 40; j < 60; j++)
        {
            new Span<float>(c.Call.K + j * c.Call.LdK, 32).Fill(float.NaN);
            new Span<float>(c.Call.V + j * c.Call.LdV, 32).Fill(float.NaN);
        }
        AttentionKernel.Forward(c.Call);
        VectorKernel.FirstNonFinite(c.Out, c.Out.Length).ShouldBe(-1);
        using Gradients gradients = new(c);
        gradients.Run(accumulate: false);
        VectorKernel.FirstNonFinite(gradients.Q, gradients.Q.Length).ShouldBe(-1);
        VectorKernel.FirstNonFinite(gradients.K, gradients.K.Length).ShouldBe(-1);
        VectorKernel.FirstNonFinite(gradients.V, gradients.V.Length).ShouldBe(-1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void Queries_that_see_nothing_give_zeros(int queries)
    {
        using var c = new AttentionCase(queries, 50, 2, 1, 16, 16, AttentionMask.All);
        for (int i = 0; i < queries; i++)
            (c.Call.First[i], c.Call.Last[i]) = (i, i);
        c.Out.Span.Fill(7);
        AttentionKernel.Forward(c.Call);
        c.LogSumExp.Span.ToArray().ShouldAllBe(v => v == float.NegativeInfinity);
        using Gradients gradients = new(c);
        gradients.Run(accumulate: false);
        for (int i = 0; i < 32; i++)
        {
            c.Out[(queries - 1) * c.Call.LdOut + i].ShouldBe(0);
            gradients.Q[(queries - 1) * gradients.LdQ + i].ShouldBe(0);
        }
        gradients.K.Span[..16].ToArray().ShouldAllBe(v => v == 0);
    }

    [Fact]
    public void A_broken_number_shows()
    {
        using var c = new AttentionCase(3, 20, 1, 1, 8, 8, AttentionMask.All);
        c.Keys[3] = float.NaN;
        AttentionKernel.Forward(c.Call);
        float.IsNaN(c.Out[0]).ShouldBeTrue();
    }
}
