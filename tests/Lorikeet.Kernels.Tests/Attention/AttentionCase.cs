namespace Lorikeet.Kernels.Tests;

/// <summary>Inputs of one attention call with room for its results.</summary>
internal sealed unsafe class AttentionCase : IDisposable
{
    private readonly FloatBlock _q, _k, _v, _first, _last;

    /// <summary>Random inputs; rows have gaps between them.</summary>
    public AttentionCase(int queries, int keys, int heads, int kvHeads, int headDim, int valueDim, AttentionMask mask, float softCap = 0, int seed = 1)
    {
        int ldq = heads * headDim + 3, ldk = kvHeads * headDim + 5, ldv = kvHeads * valueDim + 2, ldo = heads * valueDim + 1;
        _q = FloatBlock.Random(seed, queries * ldq);
        _k = FloatBlock.Random(seed + 1, keys * ldk);
        _v = FloatBlock.Random(seed + 2, keys * ldv);
        _first = new FloatBlock(queries);
        _last = new FloatBlock(queries);
        Out = new FloatBlock(queries * ldo);
        LogSumExp = new FloatBlock(queries * heads);
        Call = new AttentionCall
        {
            Q = _q, LdQ = ldq, K = _k, LdK = ldk, V = _v, LdV = ldv, Out = Out, LdOut = ldo, LogSumExp = LogSumExp,
            Queries = queries, Keys = keys, Heads = heads, KvHeads = kvHeads, HeadDim = headDim, ValueDim = valueDim,
            First = (int*)_first.P, Last = (int*)_last.P, Scale = 1 / MathF.Sqrt(headDim), SoftCap = softCap,
        };
        _mask = mask;
        Ranges(mask, new Random(seed));
    }

    private readonly AttentionMask _mask;

    public AttentionCall Call;

    public FloatBlock Out { get; }

    public FloatBlock LogSumExp { get; }

    public FloatBlock Queries => _q;

    public FloatBlock Keys => _k;

    public FloatBlock Values => _v;

    public string Name => $"{_mask} [{Call.Queries} x {Call.Keys}, {Call.Heads}/{Call.KvHeads} x {Call.HeadDim}/{Call.ValueDim}, cap {Call.SoftCap}]";

    private void Ranges(AttentionMask mask, Random random)
    {
        int queries = Call.Queries, keys = Call.Keys;
        for (int i = 0; i < queries; i++)
        {
            // the last query sees the last key
            int now = keys - queries + i;
            (Call.First[i], Call.Last[i]) = mask switch
            {
                AttentionMask.All => (0, keys),
                AttentionMask.Causal => (0, Math.Max(now + 1, 0)),
                AttentionMask.Window => (Math.Max(now - 20, 0), Math.Max(now + 1, 0)),
                _ => (0, 0),
            };
            if (mask == AttentionMask.Arbitrary)
            {
                int a = random.Next(keys + 1), b = random.Next(keys + 1);
                (Call.First[i], Call.Last[i]) = i % 5 == 3 ? (7, 7) : (Math.Min(a, b), Math.Max(a, b));
            }
        }
        if (mask != AttentionMask.Documents)
            return;
        // documents of 1 to 70 rows, each causal; needs as many keys as queries
        for (int start = 0; start < queries;)
        {
            int end = Math.Min(queries, start + random.Next(1, 71));
            for (int i = start; i < end; i++)
                (Call.First[i], Call.Last[i]) = (start, i + 1);
            start = end;
        }
    }

    public void Dispose()
    {
        _q.Dispose();
        _k.Dispose();
        _v.Dispose();
        _first.Dispose();
        _last.Dispose();
        Out.Dispose();
        LogSumExp.Dispose();
    }
}
