using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

public sealed class StepTests : IDisposable
{
    private readonly Tape _tape = new();
    private readonly KvPool _pool = new(new KvLayout(1, 1, 4, 4, DType.F32));
    private readonly Step _step;

    public StepTests() => _step = new Step(_tape);

    public void Dispose()
    {
        _tape.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public void A_pass_holds_the_rows_of_its_batch()
    {
        _step.Begin(Batch([0, 1, 2], [7, 9]));
        _step.Ids.Integers.ToArray().ShouldBe([100, 101, 102, 100, 101]);
        _step.Positions.Integers.ToArray().ShouldBe([0, 1, 2, 7, 9]);
        _step.PositionEnd.ShouldBe(10);
        _step.Batch.Sequences.ShouldBe(2);
        _step.Copy([3, 1]).Integers.ToArray().ShouldBe([3, 1]);
    }

    [Fact]
    public void Rows_see_their_own_sequence_up_to_themselves()
    {
        _step.Begin(Batch([0, 1, 2], [0, 1]));
        Range().ShouldBe([(0, 1), (0, 2), (0, 3), (3, 4), (3, 5)]);
    }

    [Fact]
    public void Or_all_of_it_where_they_are_not_causal()
    {
        _step.Begin(Batch([0, 1, 2], [0, 1]));
        Range(causal: false).ShouldBe([(0, 3), (0, 3), (0, 3), (3, 5), (3, 5)]);
    }

    [Fact]
    public void Learned_rows_stand_before_each_sequence()
    {
        RaggedBatch batch = Batch([0, 1, 2]);
        batch.Add([7, 8], [0, 1], unseenEnd: true);
        _step.Begin(batch);
        PrefixedKeys keys = _step.RangeBehind(2);
        keys.Source.Integers.ToArray().ShouldBe([~0, ~1, 0, 1, 2, ~0, ~1, 3, 4]);
        Seen(keys).ShouldBe([(0, 3), (0, 4), (0, 5), (5, 8), (5, 8)]);
        _step.RangeBehind(2).Source.ShouldBeSameAs(keys.Source, "once for all layers");
        Seen(_step.RangeBehind(2, window: 3)).ShouldBe([(0, 3), (1, 4), (2, 5), (5, 8), (6, 8)]);
        _step.RangeBehind(1).Source.Integers.ToArray().ShouldBe([~0, 0, 1, 2, ~0, 3, 4]);
        _step.Begin(Batch([0]));
        _step.RangeBehind(2).Source.Integers.ToArray().ShouldBe([~0, ~1, 0]);

        static (int, int)[] Seen(PrefixedKeys keys) => [.. keys.Range.First.Integers.ToArray().Zip(keys.Range.Last.Integers.ToArray())];
    }

    [Fact]
    public void A_window_behind_learned_rows_counts_positions_too()
    {
        _step.Begin(Batch([0, 1, 5, 6]));
        PrefixedKeys keys = _step.RangeBehind(3, window: 3);
        keys.Range.First.Integers.ToArray().ShouldBe([1, 2, 5, 5]);
        keys.Range.Last.Integers.ToArray().ShouldBe([4, 5, 6, 7]);
    }

    [Fact]
    public void A_window_counts_positions_not_rows()
    {
        _step.Begin(Batch([0, 1, 2, 3], [0, 4, 5, 9], [5, 6]));
        Range(2).ShouldBe([(0, 1), (0, 2), (1, 3), (2, 4), (4, 5), (5, 6), (5, 7), (7, 8), (8, 9), (8, 10)]);
        Range(1).ShouldBe([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9), (9, 10)]);
        Range(100).ShouldBe(Range());
        Range(2, causal: false).Select(range => range.First).ShouldBe(Range(2).Select(range => range.First));
    }

    [Fact]
    public void An_unseen_end_sees_the_others_and_none_sees_it()
    {
        RaggedBatch batch = Batch([0, 1, 2]);
        batch.Add([7, 8, 9], [3, 4, 9], group: 0, unseenEnd: true);
        batch.Add([7, 8], [0, 1]);
        _step.Begin(batch);
        batch.Group(1).ShouldBe(0);
        Range().ShouldBe([(0, 1), (0, 2), (0, 3), (3, 4), (3, 5), (3, 5), (6, 7), (6, 8)]);
        Range(causal: false).ShouldBe([(0, 3), (0, 3), (0, 3), (3, 5), (3, 5), (3, 5), (6, 8), (6, 8)]);
        Range(6).ShouldBe([(0, 1), (0, 2), (0, 3), (3, 4), (3, 5), (4, 5), (6, 7), (6, 8)]);
        Should.Throw<ArgumentException>(() => _step.Begin(batch, [Cache(), Cache(), Cache()])).Message.ShouldContain("sequence 1");
        batch.Clear();
        batch.Add([7, 8]);
        batch.HasUnseenEnd(0).ShouldBeFalse();
    }

    [Fact]
    public void Every_range_is_what_a_comparison_of_positions_says()
    {
        Random random = new(4);
        for (int round = 0; round < 50; round++)
        {
            int[][] sequences = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ =>
            {
                int position = random.Next(3);
                return Enumerable.Range(0, random.Next(0, 9)).Select(_ => position += random.Next(1, 4)).ToArray();
            })];
            _step.Begin(Batch(sequences));
            int window = random.Next(0, 6);
            (int First, int Last)[] ranges = Range(window);
            int row = 0;
            foreach (int[] positions in sequences)
            {
                int start = row;
                foreach (int own in positions)
                {
                    IEnumerable<int> seen = Enumerable.Range(0, positions.Length).Where(j => positions[j] <= own && (window == 0 || positions[j] > own - window)).Select(j => start + j);
                    Enumerable.Range(ranges[row].First, ranges[row].Last - ranges[row].First).ShouldBe(seen);
                    row++;
                }
            }
        }
    }

    [Fact]
    public void Ranges_are_made_once_a_pass()
    {
        _step.Begin(Batch([0, 1, 2]));
        _step.Range(2).ShouldBe(_step.Range(2));
        _step.Range(2).First.ShouldNotBeSameAs(_step.Range(3).First);
        _step.Begin(Batch([0, 1]));
        _step.Range(2).First.Rows.ShouldBe(1);
        _step.Range(2).First.Columns.ShouldBe(2);
    }

    [Fact]
    public void What_a_block_asks_for_first_outlasts_the_block()
    {
        RotaryEmbedding rotary = new(4, new RopeScaling());
        _step.Begin(Batch([0, 1, 2]));
        int mark = _tape.Mark();
        KeyRange range = _step.Range();
        (Tensor cos, Tensor sin) = _step.Rotation(rotary);
        _tape.ReleaseTo(mark);
        _tape.New(new Shape(100));
        range.Last.Integers.ToArray().ShouldBe([1, 2, 3]);
        cos.Values[0].ShouldBe(1);
        sin.Values[0].ShouldBe(0);
        _step.Rotation(rotary).Cos.ShouldBeSameAs(cos);
    }

    [Fact]
    public void Positions_are_counted_behind_learned_rows()
    {
        _step.Begin(Batch([0, 1, 2], [0, 5]));
        (int, int)[] before = Range(2);
        _step.Begin(Batch([0, 1, 2], [0, 5]));
        _step.ShiftPositions(4);
        _step.Positions.Integers.ToArray().ShouldBe([4, 5, 6, 4, 9]);
        _step.PositionEnd.ShouldBe(10);
        Range(2).ShouldBe(before, "what is seen depends on distances");
        _step.ShiftPositions(0);
        _step.PositionEnd.ShouldBe(10);
    }

    [Fact]
    public void A_pass_without_rows_has_ranges_without_rows()
    {
        _step.Begin(new RaggedBatch());
        _step.PositionEnd.ShouldBe(0);
        _step.Range().First.Shape.Elements.ShouldBe(0);
    }

    [Fact]
    public void There_is_a_cache_for_each_sequence_or_none()
    {
        KvCache cache = Cache();
        Should.Throw<ArgumentException>(() => _step.Begin(Batch([0], [0]), [cache])).Message.ShouldBe("1 caches for 2 sequences");
        _step.Begin(Batch([0]), [cache]);
        _step.Caches!.Count.ShouldBe(1);
    }

    [Fact]
    public void A_pass_allocates_nothing_once_it_is_warm()
    {
        RaggedBatch batch = Batch([0, 1, 2, 3], [0, 1]);
        RotaryEmbedding rotary = new(4, new RopeScaling { Kind = RopeScalingKind.Dynamic, Factor = 2, MaxPositions = 2 });
        for (int i = 0; i < 3; i++)
            Pass();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Pass();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        void Pass()
        {
            _step.Begin(batch);
            _step.Range();
            _step.Range(3);
            _step.Rotation(rotary);
        }
    }

    private (int First, int Last)[] Range(int window = 0, bool causal = true)
    {
        KeyRange range = _step.Range(window, causal);
        return [.. range.First.Integers.ToArray().Zip(range.Last.Integers.ToArray())];
    }

    private KvCache Cache() => new(_pool);

    private static RaggedBatch Batch(params int[][] positions)
    {
        RaggedBatch batch = new();
        foreach (int[] sequence in positions)
            batch.Add([.. Enumerable.Range(100, sequence.Length)], sequence);
        return batch;
    }
}
