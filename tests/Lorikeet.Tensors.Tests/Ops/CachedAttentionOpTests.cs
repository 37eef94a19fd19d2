namespace Lorikeet.Tensors.Tests;

public sealed class CachedAttentionOpTests : IDisposable
{
    private const int Heads = 4, KvHeads = 2, HeadDim = 3;

    private readonly Tape _tape = new() { Poisons = true };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void It_is_attention_of_each_sequence_over_its_own_keys()
    {
        // 3, 1 and 2 new rows behind 4, 0 and 5 cached ones, in caches with room to spare
        (int Before, int New)[] sequences = [(4, 3), (0, 1), (5, 2)];
        Tensor q = Numbers.Random(1, 6, Heads * HeadDim);
        CachedKeys[] caches = new CachedKeys[3];
        int[] first = new int[6], last = new int[6];
        for (int s = 0, row = 0; s < 3; row += sequences[s++].New)
        {
            int length = sequences[s].Before + sequences[s].New;
            caches[s] = new CachedKeys(Numbers.Random(10 + s, length + s, KvHeads * HeadDim), Numbers.Random(20 + s, length + s, KvHeads * HeadDim), length, row, sequences[s].New);
            for (int i = 0; i < sequences[s].New; i++)
            {
                first[row + i] = Math.Max(0, sequences[s].Before + i - 3);
                last[row + i] = sequences[s].Before + i + 1;
            }
        }
        Tensor firsts = OpCases.Integers(_tape, first), lasts = OpCases.Integers(_tape, last);
        Tensor y = _tape.CachedAttention(q, caches, firsts, lasts, Heads, KvHeads, 0.5f);
        foreach (CachedKeys cache in caches)
        {
            Tensor alone = _tape.Attention(_tape.RowRange(q, cache.FirstQuery, cache.Queries), cache.Keys, cache.Values,
                OpCases.Integers(_tape, first[cache.FirstQuery..(cache.FirstQuery + cache.Queries)]),
                OpCases.Integers(_tape, last[cache.FirstQuery..(cache.FirstQuery + cache.Queries)]), Heads, KvHeads, 0.5f);
            for (int i = 0; i < cache.Queries; i++)
                y.Row(cache.FirstQuery + i).ToArray().ShouldBe(alone.Row(i).ToArray());
        }
    }

    [Fact]
    public void Caches_that_leave_out_or_share_queries_are_refused()
    {
        Tensor q = Numbers.Random(1, 2, Heads * HeadDim), keys = Numbers.Random(2, 5, KvHeads * HeadDim);
        Refused();
        Refused(new CachedKeys(keys, keys, 3, 0, 1));
        Refused(new CachedKeys(keys, keys, 3, 1, 1));
        Refused(new CachedKeys(keys, keys, 3, 0, 2), new CachedKeys(keys, keys, 3, 1, 1));
        Refused(new CachedKeys(keys, keys, 3, 0, 3));
        Refused(new CachedKeys(keys, keys, 6, 0, 2));
        Refused(new CachedKeys(keys, keys, 2, 0, 2));
        Refused(new CachedKeys(keys, Numbers.Random(2, 2, KvHeads * HeadDim), 3, 0, 2));
        Refused(new CachedKeys(Numbers.Random(2, 5, 4), keys, 3, 0, 2));

        void Refused(params CachedKeys[] caches) => Should.Throw<ArgumentException>(() =>
            _tape.CachedAttention(q, caches, OpCases.Integers(_tape, [0, 0]), OpCases.Integers(_tape, [3, 3]), Heads, KvHeads, 1));
    }

    [Fact]
    public void It_has_no_derivative()
    {
        _tape.Recording = true;
        Tensor q = Numbers.Trainable(1, 2, Heads * HeadDim), keys = Numbers.Random(2, 5, KvHeads * HeadDim);
        Should.Throw<InvalidOperationException>(() => _tape.CachedAttention(q, [new CachedKeys(keys, keys, 3, 0, 2)], OpCases.Integers(_tape, [0, 0]),
            OpCases.Integers(_tape, [3, 3]), Heads, KvHeads, 1)).Message.ShouldContain("derivative");
    }
}
