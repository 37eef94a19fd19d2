using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Attention with all the patterns that a pair of bounds can say.</summary>
internal static class AttentionCases
{
    private const int Prefix = 3;

    public static IEnumerable<OpCase> All(CaseSize s)
    {
        int document = s.Rows * 2 / 5;
        (string Name, int Keys, Func<int, int> First, Func<int, int> Last)[] patterns =
        [
            ("causal", s.Rows, _ => 0, i => i + 1),
            ("two documents", s.Rows, i => i < document ? 0 : document, i => i + 1),
            ("a window", s.Rows, i => Math.Max(0, i - 1), i => i + 1),
            ("both ways", s.Rows, _ => 0, _ => s.Rows),
            ("a prefix", s.Rows + Prefix, _ => 0, i => Prefix + i + 1),
            ("rows that see nothing", s.Rows, i => i % 2 == 0 ? i : 0, i => i),
            ("nothing at all", s.Rows, i => i, i => i),
        ];
        foreach ((string name, int keys, Func<int, int> first, Func<int, int> last) in patterns)
        {
            int kvHeads = s.Heads / 2;
            yield return new("AttentionOp", name, Inputs(s, keys, kvHeads, s.HeadDim), (tape, t) => Run(tape, t, s, first, last, kvHeads, 0));
        }
        foreach (int kvHeads in new[] { 1, s.Heads })
        {
            yield return new("AttentionOp", $"{kvHeads} key heads", Inputs(s, s.Rows, kvHeads, s.HeadDim),
                (tape, t) => Run(tape, t, s, _ => 0, i => i + 1, kvHeads, 0));
        }
        yield return new("AttentionOp", "values of another width", Inputs(s, s.Rows, 2, s.HeadDim + 3), (tape, t) => Run(tape, t, s, _ => 0, i => i + 1, 2, 0));
        yield return new("AttentionOp", "capped scores", Inputs(s, s.Rows, 2, s.HeadDim), (tape, t) => Run(tape, t, s, _ => 0, i => i + 1, 2, 1.5f));
        yield return new("AttentionOp", "one tensor for keys and values",
            [new("q", new Shape(s.Rows, s.Heads * s.HeadDim)), new("kv", new Shape(s.Rows, 2 * s.HeadDim)) { Gapless = true }],
            (tape, t) => Run(tape, [t[0], t[1], t[1]], s, _ => 0, i => i + 1, 2, 0));
        yield return new("AttentionOp", "one tensor for everything", [new("x", new Shape(s.Rows, s.Heads * s.HeadDim)) { Gapless = true }],
            (tape, t) => Run(tape, [t[0], t[0], t[0]], s, _ => 0, i => i + 1, s.Heads, 0));
        yield return new("AttentionOp", "columns of a fused product",
            [new("x", new Shape(s.Rows, s.Dim)), new("weight", new Shape((s.Heads + 4) * s.HeadDim, s.Dim))],
            (tape, t) =>
            {
                Tensor qkv = tape.Linear(t[0], t[1]);
                int wide = s.Heads * s.HeadDim, narrow = 2 * s.HeadDim;
                return Run(tape, [tape.Columns(qkv, 0, wide), tape.Columns(qkv, wide, narrow), tape.Columns(qkv, wide + narrow, narrow)], s, _ => 0, i => i + 1, 2, 0);
            });

        // a cached sequence looks back at rows that were there before; no derivative is made
        int before = 4, second = s.Rows - document;
        yield return new("CachedAttentionOp", "two sequences",
            [
                Frozen("q", s.Rows, s.Heads * s.HeadDim), Frozen("first keys", before + document + 2, 2 * s.HeadDim), Frozen("first values", before + document + 2, 2 * s.HeadDim),
                Frozen("second keys", second, 2 * s.HeadDim), Frozen("second values", second, 2 * s.HeadDim),
            ],
            (tape, t) => tape.CachedAttention(t[0],
                [new CachedKeys(Cached(t[1], t[2], s.HeadDim), before + document, 0, document), new CachedKeys(Cached(t[3], t[4], s.HeadDim), second, document, second)], 0,
                OpCases.Integers(tape, s.Rows, _ => 0),
                OpCases.Integers(tape, s.Rows, i => i < document ? before + i + 1 : i - document + 1), s.Heads, 0.4f));
    }

    private static KvPages Cached(Tensor k, Tensor v, int headDim)
    {
        KvPages pages = new(new KvPool(new KvLayout(1, 2, headDim, headDim, DType.F32)));
        pages.Reserve(k.Rows);
        pages.Write(0, 0, k, v, 0, k.Rows);
        return pages;
    }

    private static OpInput[] Inputs(CaseSize s, int keys, int kvHeads, int valueDim) =>
    [
        new("q", new Shape(s.Rows, s.Heads * s.HeadDim)) { Element = x => 2 * x }, new("k", new Shape(keys, kvHeads * s.HeadDim)),
        new("v", new Shape(keys, kvHeads * valueDim)),
    ];

    private static OpInput Frozen(string name, int rows, int columns) => new(name, new Shape(rows, columns)) { Differentiable = false };

    private static Tensor Run(Tape tape, Tensor[] t, CaseSize s, Func<int, int> first, Func<int, int> last, int kvHeads, float softCap) =>
        tape.Attention(t[0], t[1], t[2], OpCases.Integers(tape, s.Rows, first), OpCases.Integers(tape, s.Rows, last), s.Heads, kvHeads, 0.6f, softCap);
}
