using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

/// <summary>Attention over the pages of a cache, in each of its storages.</summary>
public sealed unsafe class CachedAttentionTests
{
    /// <summary>Few queries and many, page ends in every place, heads that are no whole vectors, groups of heads, pieces, windows, rows that see nothing.</summary>
    private static IEnumerable<AttentionCase> Cases()
    {
        int n = 0;
        foreach (AttentionMask mask in (AttentionMask[])[AttentionMask.All, AttentionMask.Causal, AttentionMask.Window, AttentionMask.Arbitrary])
        {
            foreach ((int queries, int keys, int heads, int kvHeads, int headDim, int valueDim) in new[]
            {
                (1, 1, 1, 1, 8, 8), (1, 32, 3, 1, 64, 64), (1, 33, 2, 1, 16, 16), (1, 300, 6, 2, 64, 64), (1, 1500, 3, 3, 20, 24), (2, 700, 2, 1, 33, 17), (3, 900, 8, 1, 32, 32),
                (5, 40, 1, 1, 16, 16), (7, 9, 2, 2, 1, 1), (13, 77, 4, 2, 8, 40), (100, 230, 9, 3, 64, 64), (97, 95, 2, 2, 80, 80), (6, 600, 1, 1, 64, 64), (1, 260, 32, 4, 128, 128),
            })
            {
                n++;
                yield return new AttentionCase(queries, keys, heads, kvHeads, headDim, valueDim, mask, n % 3 == 0 ? 2.5f : 0, n);
            }
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.I8)]
    public void It_agrees_with_the_reference_over_the_same_pages_in_every_width(DType type)
    {
        foreach (AttentionCase c in Cases())
        {
            using (c)
            {
                using CachedRows cached = new(c.Call, type);
                AttentionReference.Forward(cached.Call);
                using FloatBlock expected = c.Out.Clone(), expectedLse = c.LogSumExp.Clone();
                Tiers.Each(tier =>
                {
                    AttentionKernel.Forward(cached.Call);
                    c.Out.ShouldBeClose(expected, 1e-5, 2e-6, $"{tier} {type} {c.Name}");
                    c.LogSumExp.ShouldBeClose(expectedLse, 1e-6, 3e-6, $"{tier} {type} {c.Name} log-sum-exp");
                });
            }
        }
    }

    [Fact]
    public void Pages_of_singles_hold_what_was_written()
    {
        foreach (AttentionCase c in Cases())
        {
            using (c)
            {
                AttentionReference.Forward(c.Call);
                using FloatBlock expected = c.Out.Clone();
                using CachedRows cached = new(c.Call, DType.F32);
                AttentionReference.Forward(cached.Call);
                c.Out.ShouldEqualBits(expected, c.Name);
            }
        }
    }

    /// <summary>
    /// An integer is off by half its scale at most, so a score by <c>d = Scale * |q|1 * max|k| / 254</c>, a weight of the softmax by a factor of
    /// <c>exp(2d)</c>, and the output by <c>max|v| / 254 + (exp(2d) - 1) * max|v|</c>.
    /// </summary>
    [Fact]
    public void Eight_bit_integers_are_as_near_as_their_rounding_says()
    {
        double worst = 0;
        foreach (AttentionCase c in Cases())
        {
            using (c)
            {
                AttentionKernel.Forward(c.Call);
                using FloatBlock exact = c.Out.Clone();
                using CachedRows cached = new(c.Call, DType.I8);
                AttentionKernel.Forward(cached.Call);
                double key = MaxAbs(c.Keys), value = MaxAbs(c.Values);
                for (int i = 0; i < c.Call.Queries; i++)
                {
                    for (int h = 0; h < c.Call.Heads; h++)
                    {
                        double norm = 0;
                        for (int d = 0; d < c.Call.HeadDim; d++)
                            norm += Math.Abs(c.Call.Q[i * c.Call.LdQ + h * c.Call.HeadDim + d]);
                        double off = c.Call.Scale * norm * key / 254, bound = value / 254 + (Math.Exp(2 * off) - 1) * value + 1e-5;
                        for (int d = 0; d < c.Call.ValueDim; d++)
                        {
                            long at = i * c.Call.LdOut + h * c.Call.ValueDim + d;
                            double difference = Math.Abs(c.Out[at] - exact[at]);
                            difference.ShouldBeLessThan(bound, c.Name);
                            worst = Math.Max(worst, difference);
                        }
                    }
                }
            }
        }
        // keys and values have magnitudes up to 3.4: far below the bound, which takes every rounding for the worst
        worst.ShouldBeLessThan(0.05);
    }

    [Fact]
    public void A_head_of_a_row_is_rounded_by_its_own_largest_magnitude()
    {
        using var c = new AttentionCase(1, 70, 4, 2, 13, 40, AttentionMask.All);
        // zeros, a number among zeros, hardly a number, numbers that are none
        new Span<float>(c.Call.K, 13).Clear();
        new Span<float>(c.Call.K + c.Call.LdK, 13).Clear();
        c.Call.K[c.Call.LdK + 12] = -5;
        new Span<float>(c.Call.V, 40).Fill(1e-38f);
        c.Call.V[c.Call.LdV + 39] = float.NaN;
        c.Call.V[2 * c.Call.LdV + 3] = float.NegativeInfinity;
        using CachedRows cached = new(c.Call, DType.I8);
        for (int row = 0; row < 70; row++)
        {
            (float[] keys, float[] values) = cached.Row(row);
            for (int head = 0; head < 2; head++)
            {
                Near(new Span<float>(c.Call.K + row * c.Call.LdK + head * 13, 13), keys.AsSpan(head * 13, 13));
                if (head == 0 && row is 1 or 2)
                    values[..40].ShouldAllBe(value => float.IsNaN(value));
                else
                    Near(new Span<float>(c.Call.V + row * c.Call.LdV + head * 40, 40), values.AsSpan(head * 40, 40));
            }
        }

        static void Near(Span<float> written, Span<float> read)
        {
            float most = 0;
            foreach (float x in written)
                most = MathF.Max(most, MathF.Abs(x));
            for (int i = 0; i < written.Length; i++)
                MathF.Abs(read[i] - written[i]).ShouldBeLessThanOrEqualTo(most / 254 * 1.0001f + 1e-30f);
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.I8)]
    public void Rows_are_written_as_the_reference_writes_them(DType type)
    {
        foreach (AttentionCase c in Cases())
        {
            using (c)
            {
                using CachedRows ours = new(c.Call, type), theirs = new(c.Call, type);
                KvReference.Write(new KvWriteCall
                {
                    K = c.Call.K, LdK = c.Call.LdK, V = c.Call.V, LdV = c.Call.LdV, Rows = c.Call.Keys,
                    Pages = theirs.Call.Pages, Layout = theirs.Layout, Layer = theirs.Call.Layer,
                });
                for (int i = 0; i < (c.Call.Keys + KvLayout.Rows - 1) / KvLayout.Rows; i++)
                {
                    new Span<byte>(ours.Call.Pages[i], (int)ours.Layout.PageBytes)
                        .SequenceEqual(new Span<byte>(theirs.Call.Pages[i], (int)ours.Layout.PageBytes)).ShouldBeTrue($"{type} {c.Name} page {i}");
                }
            }
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.I8)]
    public void Rows_behind_the_last_and_before_a_window_do_not_show(DType type)
    {
        foreach (int queries in new[] { 1, 40 })
        {
            using var c = new AttentionCase(queries, 100, 2, 1, 32, 32, AttentionMask.All);
            for (int i = 0; i < queries; i++)
                (c.Call.First[i], c.Call.Last[i]) = (45, 70);
            c.Keys.Span[..(45 * (int)c.Call.LdK)].Fill(float.NaN);
            c.Values.Span[..(45 * (int)c.Call.LdV)].Fill(float.NaN);
            c.Keys.Span[(70 * (int)c.Call.LdK)..].Fill(float.NaN);
            c.Values.Span[(70 * (int)c.Call.LdV)..].Fill(float.NaN);
            using CachedRows cached = new(c.Call, type);
            AttentionKernel.Forward(cached.Call);
            VectorKernel.FirstNonFinite(c.Out, c.Out.Length).ShouldBe(-1);
        }
    }

    private static double MaxAbs(FloatBlock x)
    {
        double most = 0;
        foreach (float value in x.Span)
            most = Math.Max(most, Math.Abs(value));
        return most;
    }
}
