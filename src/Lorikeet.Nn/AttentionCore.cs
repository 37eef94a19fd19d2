using System.Runtime.InteropServices;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>Queries, keys and values after projection and rotation.</summary>
/// <param name="Query"><c>[rows, heads · headDim]</c>.</param>
/// <param name="Key"><c>[rows, kvHeads · headDim]</c>.</param>
/// <param name="Value"><c>[rows, kvHeads · headDim]</c>.</param>
public readonly record struct AttentionInput(Tensor Query, Tensor Key, Tensor Value);

/// <summary>
/// Attention proper, between the projections: the place where methods act on keys, values, the pattern of what sees what, and the output
/// (prefix tuning, LLaMA-Adapter, LongLoRA).
/// </summary>
public sealed class AttentionCore : Place<AttentionCore, AttentionInput>
{
    private readonly List<CachedKeys> _cached = [];

    /// <summary>Attention of one layer.</summary>
    /// <param name="weights">The scope of the attention block; nothing is read from it.</param>
    /// <param name="layer">Its number: the place in a key and value cache.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="kvHeads">Key and value heads.</param>
    /// <param name="headDim">Numbers of a head.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="window">Positions that a row sees, itself included; 0 for no limit.</param>
    public AttentionCore(Weights weights, int layer, int heads, int kvHeads, int headDim, float scale, int window = 0) : base(weights)
    {
        Layer = layer;
        Heads = heads;
        KvHeads = kvHeads;
        HeadDim = headDim;
        Scale = scale;
        Window = window;
    }

    /// <summary>The layer's number, from 0.</summary>
    public int Layer { get; }

    /// <summary>Query heads.</summary>
    public int Heads { get; }

    /// <summary>Key and value heads.</summary>
    public int KvHeads { get; }

    /// <summary>Numbers of a head.</summary>
    public int HeadDim { get; }

    /// <summary>Factor of the scores.</summary>
    public float Scale { get; }

    /// <summary>Positions that a row sees, itself included; 0 for no limit.</summary>
    public int Window { get; }

    /// <inheritdoc/>
    /// <returns><c>[rows, heads · headDim]</c>.</returns>
    public override Tensor Plain(AttentionInput input, Step step) =>
        step.Caches is null ? Attend(input, step.Range(Window), step) : AttendCached(input, step);

    /// <summary>Attention over keys and values that the caller arranged, with what each query sees.</summary>
    public Tensor Attend(AttentionInput input, KeyRange range, Step step) =>
        step.Tape.Attention(input.Query, input.Key, input.Value, range.First, range.Last, Heads, KvHeads, Scale);

    // each sequence writes its new rows behind its cached ones and sees all of them, up to itself
    private Tensor AttendCached(AttentionInput input, Step step)
    {
        KeyRange range = new(step.Tape.New(step.Positions.Shape, DType.I32), step.Tape.New(step.Positions.Shape, DType.I32));
        Span<int> first = range.First.Integers, last = range.Last.Integers;
        _cached.Clear();
        for (int sequence = 0; sequence < step.Batch.Sequences; sequence++)
        {
            KvCache cache = step.Caches![sequence];
            int start = step.Batch.Start(sequence), length = step.Batch.Length(sequence);
            cache.Append(Layer, input.Key, input.Value, start, length);
            for (int i = 0; i < length; i++)
            {
                int own = cache.End + i;
                last[start + i] = own + 1;
                first[start + i] = Window > 0 ? Math.Max(0, own + 1 - Window) : 0;
            }
            _cached.Add(new CachedKeys(cache.Pages, cache.End + length, start, length));
        }
        return step.Tape.CachedAttention(input.Query, CollectionsMarshal.AsSpan(_cached), Layer, range.First, range.Last, Heads, Scale);
    }
}
