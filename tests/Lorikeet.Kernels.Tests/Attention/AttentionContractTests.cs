namespace Lorikeet.Kernels.Tests;

/// <summary>The same bits for any number of threads, though it decides how the derivative is cut; and no managed memory once warm.</summary>
[Collection(nameof(ComputePool))]
public sealed unsafe class AttentionContractTests
{
    public static TheoryData<string> Sizes => [.. Makers.Keys];

    private static readonly Dictionary<string, Func<AttentionCase>> Makers = new()
    {
        ["one document, one head"] = () => new AttentionCase(300, 300, 1, 1, 32, 32, AttentionMask.Causal),
        ["documents"] = () => new AttentionCase(500, 500, 3, 1, 24, 40, AttentionMask.Documents),
        ["window and cap"] = () => new AttentionCase(310, 310, 4, 2, 16, 16, AttentionMask.Window, 3),
        ["many blocks of keys, some of them seen by none"] = () => new AttentionCase(900, 900, 2, 1, 8, 8, AttentionMask.Arbitrary),
        ["many blocks of keys, one head"] = () => new AttentionCase(1500, 1500, 1, 1, 16, 16, AttentionMask.Window),
        ["decoding"] = () => new AttentionCase(1, 3000, 6, 2, 64, 64, AttentionMask.All),
        ["a few queries"] = () => new AttentionCase(40, 2000, 2, 2, 32, 32, AttentionMask.Causal),
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void The_number_of_threads_does_not_show(string size)
        => Tiers.ShouldNotDependOnThreads(() =>
        {
            using AttentionCase c = Makers[size]();
            using Gradients gradients = new(c);
            AttentionKernel.Forward(c.Call);
            gradients.Run(accumulate: false);
            return Join(c.Out, c.LogSumExp, gradients.Q, gradients.K, gradients.V);
        }, size);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void No_managed_memory_is_allocated(string size)
    {
        using AttentionCase c = Makers[size]();
        using Gradients gradients = new(c);
        Tiers.ShouldNotAllocate(() =>
        {
            AttentionKernel.Forward(c.Call);
            gradients.Run(accumulate: true);
        });
    }

    private static FloatBlock Join(params FloatBlock[] blocks)
    {
        var all = new FloatBlock(blocks.Sum(b => b.Length));
        int at = 0;
        foreach (FloatBlock block in blocks)
        {
            block.Span.CopyTo(all.Span[at..]);
            at += (int)block.Length;
        }
        return all;
    }
}
