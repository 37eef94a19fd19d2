using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class AttentionKernelTests
{
    /// <summary>Sizes that meet every path: one query and few, long keys in pieces, whole and broken tiles, panels and vectors, groups of heads.</summary>
    private static IEnumerable<AttentionCase> Cases(Func<int, bool>? keep = null)
    {
        int n = 0;
        foreach (AttentionMask mask in Enum.GetValues<AttentionMask>())
        {
            foreach ((int queries, int keys, int heads, int kvHeads, int headDim, int valueDim) in new[]
            {
                (1, 1, 1, 1, 8, 8), (1, 300, 6, 2, 64, 64), (1, 1500, 3, 3, 20, 24), (2, 700, 2, 1, 33, 17), (5, 40, 1, 1, 16, 16),
                (3, 900, 8, 1, 32, 32), (7, 9, 2, 2, 1, 1), (13, 13, 4, 2, 8, 40), (97, 97, 3, 1, 64, 64), (100, 230, 2, 2, 80, 80), (130, 200, 9, 3, 24, 16),
                (200, 200, 1, 1, 128, 128), (6, 600, 1, 1, 64, 64),
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
    public void Forward_agrees_with_the_reference_in_every_width() => Tiers.Each(tier =>
    {
        foreach (AttentionCase c in Cases())
        {
            using (c)
            {
                AttentionKernel.Forward(c.Call);
                using FloatBlock y = c.Out.Clone(), lse = c.LogSumExp.Clone();
                AttentionReference.Forward(c.Call);
                y.ShouldBeClose(c.Out, 1e-5, 2e-6, $"{tier} {c.Name}");
                lse.ShouldBeClose(c.LogSumExp, 1e-6, 2e-6, $"{tier} {c.Name} log-sum-exp");
            }
        }
    });
}
