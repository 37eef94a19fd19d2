using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed class CachedAttentionOpTests : IDisposable
{
    private const int Layers = 2, Heads = 4, KvHeads = 2, HeadDim = 3;

    private readonly Tape _tape = new() { Poisons = true };
    private readonly KvPool _pool = new(new KvLayout(Layers, KvHeads, HeadDim, HeadDim, DType.F32));

    public void Dispose()
    {
        _tape.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public void It_is_attention_of_each_sequence_over_its_own_keys()
    {
        // 3, 1 and 2 new rows behind 4, 0 and 5 cached ones, in pages that held something else before
        (int Before, int New)[] sequences = [(4, 3), (0, 1), (5, 2)];
        Tensor q = Numbers.Random(1, 6, Heads * HeadDim);
        Tensor[] keys = new Tensor[3], values = new Tensor[3];
        CachedKeys[] caches = new CachedKeys[3];
        int[] first = new int[6], last = new int[6];
        Spoil(3);
        for (int s = 0, row = 0; s < 3; row += sequences[s++].New)
        {
            int length = sequences[s].Before + sequences[s].New;
            keys[s] = Numbers.Random(10 + s, length, KvHeads * HeadDim);
            values[s] = Numbers.Random(20 + s, length, KvHeads * HeadDim);
            caches[s] = new CachedKeys(Cached(keys[s], values[s]), length, row, sequences[s].New);
            for (int i = 0; i < sequences[s].New; i++)
            {
                first[row + i] = Math.Max(0, sequences[s].Before + i - 3);
                last[row + i] = sequences[s].Before + i + 1;
            }
        }
        _pool.HeldBytes.ShouldBe(3 * _pool.Layout.PageBytes);
        Tensor firsts = OpCases.Integers(_tape, first), lasts = OpCases.Integers(_tape, last);
        Tensor y = _tape.CachedAttention(q, caches, 1, firsts, lasts, Heads, 0.5f);
        for (int s = 0; s < 3; s++)
        {
            CachedKeys cache = caches[s];
            Tensor alone = _tape.Attention(_tape.RowRange(q, cache.FirstQuery, cache.Queries), keys[s], values[s],
                OpCases.Integers(_tape, first[cache.FirstQuery..(cache.FirstQuery + cache.Queries)]),
                OpCases.Integers(_tape, last[cache.FirstQuery..(cache.FirstQuery + cache.Queries)]), Heads, KvHeads, 0.5f);
            for (int i = 0; i < cache.Queries; i++)
                y.Row(cache.FirstQuery + i).ToArray().ShouldBe(alone.Row(i).ToArray());
        }
    }

    [Fact]
    public void Caches_that_leave_out_or_share_queries_are_refused()
    {
        Tensor q = Numbers.Random(1, 2, Heads * HeadDim);
        KvPages pages = Cached(Numbers.Random(2, 5, KvHeads * HeadDim), Numbers.Random(3, 5, KvHeads * HeadDim));
        Refused();
        Refused(new CachedKeys(pages, 3, 0, 1));
        Refused(new CachedKeys(pages, 3, 1, 1));
        Refused(new CachedKeys(pages, 3, 0, 2), new CachedKeys(pages, 3, 1, 1));
        Refused(new CachedKeys(pages, 3, 0, 3));
        Refused(new CachedKeys(pages, KvPool.PageRows + 1, 0, 2));
        Refused(new CachedKeys(pages, 2, 0, 2));
        Refused(new CachedKeys(new KvPages(new KvPool(new KvLayout(Layers, KvHeads, HeadDim + 1, HeadDim, DType.F32))), 0, 0, 2));
        Refused(new CachedKeys(new KvPages(new KvPool(new KvLayout(1, KvHeads, HeadDim, HeadDim, DType.F32))), 0, 0, 2));

        void Refused(params CachedKeys[] caches) => Should.Throw<ArgumentException>(() =>
            _tape.CachedAttention(q, caches, 1, OpCases.Integers(_tape, [0, 0]), OpCases.Integers(_tape, [3, 3]), Heads, 1));
    }

    [Fact]
    public void It_has_no_derivative()
    {
        _tape.Recording = true;
        Tensor q = Numbers.Trainable(1, 2, Heads * HeadDim), keys = Numbers.Random(2, 5, KvHeads * HeadDim);
        Should.Throw<InvalidOperationException>(() => _tape.CachedAttention(q, [new CachedKeys(Cached(keys, keys), 3, 0, 2)], 0, OpCases.Integers(_tape, [0, 0]),
            OpCases.Integers(_tape, [3, 3]), Heads, 1)).Message.ShouldContain("derivative");
    }

    private KvPages Cached(Tensor k, Tensor v)
    {
        KvPages pages = new(_pool);
        pages.Reserve(k.Rows);
        pages.Write(1, 0, k, v, 0, k.Rows);
        return pages;
    }

    // what a page held before must not show
    private void Spoil(int count)
    {
        using KvPages pages = new(_pool);
        pages.Reserve(count * KvPool.PageRows);
        Tensor broken = Tensor.Create(new Shape(pages.Rows, KvHeads * HeadDim));
        broken.Fill(float.NaN);
        for (int layer = 0; layer < Layers; layer++)
            pages.Write(layer, 0, broken, broken, 0, broken.Rows);
    }
}
