using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

public sealed class AttentionCoreTests : IDisposable
{
    private const int Heads = 4, KvHeads = 2, HeadDim = 6;

    private readonly Tape _tape = new();
    private readonly Step _step;

    public AttentionCoreTests() => _step = new Step(_tape);

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(0, DType.F32, 2e-6f)]
    [InlineData(3, DType.F32, 2e-6f)]
    [InlineData(0, DType.BF16, 0.02f)]
    [InlineData(3, DType.I8, 0.02f)]
    public void Piece_by_piece_over_a_cache_equals_one_pass_over_everything(int window, DType type, float bound)
    {
        using KvPool pool = new(new KvLayout(2, KvHeads, HeadDim, HeadDim, type));
        AttentionCore[] layers = [Core(0, window), Core(1, window)];
        int[] lengths = [11, 5, 8];
        Tensor[] q = [.. lengths.Select((length, i) => Random(10 + i, length, Heads * HeadDim))];
        Tensor[] k = [.. lengths.Select((length, i) => Random(20 + i, length, KvHeads * HeadDim))];
        Tensor[] v = [.. lengths.Select((length, i) => Random(30 + i, length, KvHeads * HeadDim))];
        float[][][] expected = Everything(layers, lengths, q, k, v);

        KvCache[] caches = [.. lengths.Select(_ => new KvCache(pool))];
        // each row of pieces says how many rows of each sequence come next: a prefill, single tokens, nothing
        foreach (int[] piece in new[] { new[] { 4, 2, 1 }, [1, 1, 1], [3, 0, 1], [1, 1, 4], [2, 1, 1] })
        {
            RaggedBatch batch = new();
            for (int s = 0; s < 3; s++)
                batch.Add(new int[piece[s]], firstPosition: caches[s].Length);
            _step.Begin(batch, caches);
            Tensor[] outputs = [.. layers.Select((layer, index) => layer.Forward(new AttentionInput(
                Gather(q, caches, piece, index), Gather(k, caches, piece, index), Gather(v, caches, piece, index)), _step))];
            for (int s = 0; s < 3; s++)
            {
                for (int i = 0; i < piece[s]; i++)
                {
                    for (int layer = 0; layer < 2; layer++)
                        ShouldBeNear(outputs[layer].Row(batch.Start(s) + i).ToArray(), expected[layer][s].AsSpan((caches[s].Length + i) * Heads * HeadDim, Heads * HeadDim).ToArray(), bound);
                }
                caches[s].Advance(piece[s]);
            }
        }
        caches.Select(cache => cache.Length).ShouldBe(lengths);
    }

    [Fact]
    public void A_decoded_token_allocates_nothing()
    {
        AttentionCore core = Core(0, 0);
        using KvPool pool = new(new KvLayout(1, KvHeads, HeadDim, HeadDim, DType.F32));
        KvCache[] caches = [new(pool), new(pool)];
        Tensor q = Random(1, 2, Heads * HeadDim), k = Random(2, 2, KvHeads * HeadDim);
        RaggedBatch batch = new();
        for (int i = 0; i < 5; i++)
            Decode();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Decode();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        void Decode()
        {
            batch.Clear();
            batch.Add([1], firstPosition: caches[0].Length);
            batch.Add([2], firstPosition: caches[1].Length);
            _step.Begin(batch, caches);
            core.Forward(new AttentionInput(q, k, k), _step);
            foreach (KvCache cache in caches)
                cache.Advance(1);
        }
    }

    private float[][][] Everything(AttentionCore[] layers, int[] lengths, Tensor[] q, Tensor[] k, Tensor[] v)
    {
        RaggedBatch batch = new();
        foreach (int length in lengths)
            batch.Add(new int[length]);
        _step.Begin(batch);
        return [.. layers.Select((layer, index) =>
        {
            Tensor y = layer.Forward(new AttentionInput(Gather(q, null, lengths, index), Gather(k, null, lengths, index), Gather(v, null, lengths, index)), _step);
            return lengths.Select((length, s) => Enumerable.Range(batch.Start(s), length).SelectMany(row => y.Row(row).ToArray()).ToArray()).ToArray();
        })];
    }

    // the second layer is given the rows of the first, halved
    private Tensor Gather(Tensor[] from, KvCache[]? caches, int[] counts, int layer)
    {
        Tensor joined = _tape.New(new Shape(counts.Sum(), from[0].Columns));
        int row = 0;
        for (int s = 0; s < counts.Length; s++)
        {
            for (int i = 0; i < counts[s]; i++)
                from[s].Row((caches?[s].Length ?? 0) + i).CopyTo(joined.Row(row++));
        }
        return layer == 0 ? joined : _tape.Scale(joined, 0.5f);
    }

    private static AttentionCore Core(int layer, int window) =>
        new(new Weights(new ModelContext(new ListedTensors())) / "self_attn", layer, Heads, KvHeads, HeadDim, 0.4f, window);

    private static Tensor Random(int seed, int rows, int columns)
    {
        Random random = new(seed);
        return Tensor.FromValues([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() * 2 - 1)], new Shape(rows, columns));
    }

    private static void ShouldBeNear(float[] actual, float[] expected, float bound) =>
        actual.Zip(expected).Max(pair => Math.Abs(pair.First - pair.Second)).ShouldBeLessThan(bound);
}
