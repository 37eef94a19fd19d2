namespace Lorikeet.Kernels;

/// <summary>
/// How one call is cut into parts: by blocks of queries and by key heads, and, where that makes few parts (decoding), by pieces of the keys too.
/// It depends on the call's own sizes alone, so neither the number of threads nor the other calls of a batch show in the result.
/// </summary>
internal unsafe struct AttentionPlan
{
    private const int FewQueries = 4;

    /// <summary>Parts that blocks of queries are made for.</summary>
    private const int WantedParts = 32;

    /// <summary>Below so many parts the keys are cut too; of few queries, whose blocks take less.</summary>
    private const int LeastParts = 16, LeastPartsOfFew = 64;

    private const int LeastKeys = 256;

    /// <summary>Floats of a block's queries: they stay in the second cache, as do the sums, while keys pass by.</summary>
    private const int BlockFloats = 64 * 1024;

    /// <summary>Part 0 of this call among the parts of the batch.</summary>
    public int FirstPart;
    /// <summary>Block 0 of this call among the (query block, key head) pairs of the batch.</summary>
    public int FirstBlock;
    /// <summary>Whether the queries are so few that turning keys into panels costs more than it brings.</summary>
    public bool Few;
    /// <summary>Query heads of one key head.</summary>
    public int Group;
    /// <summary>Queries of a block.</summary>
    public int BlockQueries;
    /// <summary>Blocks of queries.</summary>
    public int QueryBlocks;
    /// <summary>Pieces of the keys that a block sees.</summary>
    public int Splits;
    /// <summary>Where the pieces' results lie, in floats from the start of the shared memory.</summary>
    public long Partials;

    /// <summary>Where the result of a piece lies in the shared memory.</summary>
    public readonly float* Partial(float* shared, in AttentionCall call, int block, int head, int split)
        => shared + Partials + ((long)(block * call.KvHeads + head) * Splits + split) * PartialFloats(call);

    /// <summary>Parts of the call.</summary>
    public readonly int Parts(in AttentionCall call) => QueryBlocks * call.KvHeads * Splits;

    /// <summary>Rows of a block: its queries once for each head of the group.</summary>
    public readonly int BlockRows => BlockQueries * Group;

    /// <summary>Floats of one piece's result for one block and key head: sums of values, maxima and sums of exponentials.</summary>
    public readonly long PartialFloats(in AttentionCall call) => (long)BlockRows * (call.ValueDim + 2);

    /// <summary>Floats that all pieces' results take.</summary>
    public readonly long SharedFloats(in AttentionCall call) => (long)QueryBlocks * call.KvHeads * Splits * PartialFloats(call);

    /// <summary>Plans one call.</summary>
    public static AttentionPlan Of(in AttentionCall call)
    {
        int group = call.Heads / call.KvHeads;
        // many rows share the panels of a key block, which makes packing them cheap; few enough that threads get equal shares; whole panels
        long fair = (long)call.Queries * call.KvHeads / WantedParts, near = BlockFloats / ((long)group * Math.Max(call.HeadDim, call.ValueDim));
        int panels = (int)Math.Clamp((Math.Min(fair, near) + GemmPack.MaxWidth - 1) / GemmPack.MaxWidth, 1, KeyRanges.MaxQueries / GemmPack.MaxWidth);
        int blockQueries = panels * GemmPack.MaxWidth;
        AttentionPlan plan = new()
        {
            Group = group,
            BlockQueries = Math.Min(blockQueries, Math.Max(call.Queries, 1)),
            QueryBlocks = (call.Queries + blockQueries - 1) / blockQueries,
            Splits = 1,
            Few = call.Queries <= FewQueries,
        };
        int most = (plan.Few ? LeastPartsOfFew : LeastParts) / Math.Max(plan.Parts(call), 1);
        if (most > 1)
        {
            int low = int.MaxValue, high = 0;
            for (int i = 0; i < call.Queries; i++)
            {
                if (call.First[i] >= call.Last[i])
                    continue;
                low = Math.Min(low, call.First[i]);
                high = Math.Max(high, call.Last[i]);
            }
            plan.Splits = Math.Clamp((high - low) / LeastKeys, 1, most);
        }
        return plan;
    }
}
