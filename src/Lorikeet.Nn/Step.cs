using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>Which keys each query row sees: <c>First[i] ≤ j &lt; Last[i]</c>.</summary>
/// <param name="First"><c>[rows]</c> i32.</param>
/// <param name="Last"><c>[rows]</c> i32.</param>
public readonly record struct KeyRange(Tensor First, Tensor Last);

/// <summary>
/// One pass through a model: the tape it runs on, the rows it holds, what they may see, and what lasts from pass to pass (the key and value
/// caches). Layers read it; none keeps it.
/// </summary>
public sealed class Step
{
    private readonly List<(int Window, bool Causal, KeyRange Range)> _ranges = [];
    private readonly List<(int Rows, int Window, PrefixedKeys Keys)> _prefixed = [];
    private readonly List<(object Owner, Tensor Cos, Tensor Sin)> _rotations = [];

    /// <summary>A pass that uses this tape, again and again.</summary>
    public Step(Tape tape) => Tape = tape;

    /// <summary>Memory and derivatives.</summary>
    public Tape Tape { get; }

    /// <summary>True while dropout and other noise act.</summary>
    public bool Training { get; set; }

    /// <summary>Scale of the noise on embeddings while training (NEFTune, Jain et al. 2023, arXiv:2310.05914); 0 for none.</summary>
    public float NoiseAlpha { get; set; }

    /// <summary>How many blocks, the lowest first, are run a second time for their derivative instead of keeping their activations.</summary>
    public int CheckpointedBlocks { get; set; }

    /// <summary>The sequences of this pass.</summary>
    public RaggedBatch Batch { get; private set; } = new();

    /// <summary>One cache for each sequence, or null where nothing is cached.</summary>
    public IReadOnlyList<KvCache>? Caches { get; private set; }

    /// <summary>Token ids, <c>[rows]</c> i32.</summary>
    public Tensor Ids { get; private set; } = null!;

    /// <summary>Positions, <c>[rows]</c> i32.</summary>
    public Tensor Positions { get; private set; } = null!;

    /// <summary>The largest position of the pass plus one.</summary>
    public int PositionEnd { get; private set; }

    /// <summary>Receives the residual stream: of the embeddings (0) and after each layer (1 …); null where nobody asks.</summary>
    public Action<int, Tensor>? HiddenStates { get; set; }

    /// <summary>Is told of each block whose derivative is complete, with the gradients of all its parameters; null where nobody asks.</summary>
    public Action<Module>? Passed { get; set; }

    /// <summary>Starts a pass. The tape's former tensors are reclaimed.</summary>
    /// <param name="batch">The sequences; read, not kept beyond the next pass.</param>
    /// <param name="caches">One for each sequence, or null.</param>
    public void Begin(RaggedBatch batch, IReadOnlyList<KvCache>? caches = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (caches is not null && caches.Count != batch.Sequences)
            throw new ArgumentException($"{caches.Count} caches for {batch.Sequences} sequences");
        for (int sequence = 0; caches is not null && sequence < batch.Sequences; sequence++)
        {
            if (batch.HasUnseenEnd(sequence))
                throw new ArgumentException($"sequence {sequence} ends in a row that none may see: a cache would keep it");
        }
        Tape.Reset();
        _ranges.Clear();
        _prefixed.Clear();
        _rotations.Clear();
        Batch = batch;
        Caches = caches;
        Ids = Copy(batch.Ids);
        Positions = Copy(batch.Positions);
        int end = 0;
        foreach (int position in batch.Positions)
            end = Math.Max(end, position + 1);
        PositionEnd = end;
    }

    /// <summary>Counts all positions of this pass behind learned rows (<see cref="Model.LearnedPrefix"/>), before anything has read them.</summary>
    public void ShiftPositions(int count)
    {
        if (count == 0)
            return;
        foreach (ref int position in Positions.Integers)
            position += count;
        PositionEnd += count;
    }

    /// <summary>A tensor of integers for this pass.</summary>
    public Tensor Copy(ReadOnlySpan<int> values)
    {
        Tensor tensor = Tape.New(new Shape(values.Length), DType.I32);
        values.CopyTo(tensor.Integers);
        return tensor;
    }

    /// <summary>
    /// What each row sees among the rows of this pass: those of its own sequence, up to itself where causal, and no further back than the window.
    /// </summary>
    /// <param name="window">Positions that a row sees, itself included; 0 for no limit.</param>
    /// <param name="causal">False where rows see later ones too.</param>
    public KeyRange Range(int window = 0, bool causal = true)
    {
        foreach ((int Window, bool Causal, KeyRange Range) known in _ranges)
        {
            if (known.Window == window && known.Causal == causal)
                return known.Range;
        }
        // kept: the block that asks first may give its own memory back before the others ask
        KeyRange range = new(Tape.Keep(Tape.New(new Shape(Batch.Rows), DType.I32)), Tape.Keep(Tape.New(new Shape(Batch.Rows), DType.I32)));
        Span<int> first = range.First.Integers, last = range.Last.Integers;
        ReadOnlySpan<int> positions = Batch.Positions;
        for (int sequence = 0; sequence < Batch.Sequences; sequence++)
        {
            int start = Batch.Start(sequence), end = Batch.Start(sequence + 1), from = start;
            int keys = Batch.HasUnseenEnd(sequence) ? end - 1 : end;
            for (int row = start; row < end; row++)
            {
                while (window > 0 && positions[from] <= positions[row] - window)
                    from++;
                first[row] = from;
                last[row] = causal ? Math.Min(row + 1, keys) : keys;
            }
        }
        _ranges.Add((window, causal, range));
        return range;
    }

    /// <summary>How keys are arranged, and what each row sees of them, where learned rows stand before each sequence. Causal.</summary>
    /// <param name="rows">Learned rows, the same for every sequence.</param>
    /// <param name="window">Positions that a row sees, itself included; 0 for no limit.</param>
    public PrefixedKeys RangeBehind(int rows, int window = 0)
    {
        foreach ((int Rows, int Window, PrefixedKeys Keys) known in _prefixed)
        {
            if (known.Rows == rows && known.Window == window)
                return known.Keys;
        }
        Tensor source = Tape.Keep(Tape.New(new Shape(Batch.Rows + Batch.Sequences * rows), DType.I32));
        KeyRange range = new(Tape.Keep(Tape.New(new Shape(Batch.Rows), DType.I32)), Tape.Keep(Tape.New(new Shape(Batch.Rows), DType.I32)));
        Span<int> sources = source.Integers, first = range.First.Integers, last = range.Last.Integers;
        ReadOnlySpan<int> positions = Batch.Positions;
        int at = 0;
        for (int sequence = 0; sequence < Batch.Sequences; sequence++)
        {
            int begin = at, start = Batch.Start(sequence), end = Batch.Start(sequence + 1), from = start;
            for (int i = 0; i < rows; i++)
                sources[at++] = ~i;
            for (int row = start; row < end; row++)
            {
                sources[at++] = row;
                last[row] = row == end - 1 && Batch.HasUnseenEnd(sequence) ? at - 1 : at;
                // learned row i stands at position i - rows
                int lowest = window > 0 ? positions[row] - window + 1 : -rows;
                while (positions[from] < lowest)
                    from++;
                first[row] = begin + (lowest <= 0 ? Math.Max(0, lowest + rows) : rows + from - start);
            }
        }
        PrefixedKeys keys = new(source, range);
        _prefixed.Add((rows, window, keys));
        return keys;
    }

    /// <summary>Cosines and sines of this pass, computed once for all layers that share a rotary embedding.</summary>
    internal (Tensor Cos, Tensor Sin) Rotation(RotaryEmbedding owner)
    {
        foreach ((object Owner, Tensor Cos, Tensor Sin) known in _rotations)
        {
            if (known.Owner == owner)
                return (known.Cos, known.Sin);
        }
        (Tensor cos, Tensor sin) = owner.Tables(this);
        _rotations.Add((owner, Tape.Keep(cos), Tape.Keep(sin)));
        return (cos, sin);
    }
}
