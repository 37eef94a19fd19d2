using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>A few blocks of a decoder, straight from the ops: what a training step asks of a tape.</summary>
internal sealed class SmallTransformer
{
    private const int Hidden = 32, Heads = 4, KvHeads = 2, HeadDim = 8, Inner = 48, Vocabulary = 61, Rank = 4;

    private readonly Layer[] _layers;
    private readonly Tensor _embedding, _norm;
    private readonly float[] _frequencies = [1, 0.3f, 0.1f, 0.03f];
    private readonly Random _random = new(3);

    public SmallTransformer(int layers, bool trainsAll = true, bool adapters = true)
    {
        _embedding = Matrix(Vocabulary, Hidden, trainsAll);
        _norm = Vector(trainsAll);
        _layers = new Layer[layers];
        for (int i = 0; i < layers; i++)
            _layers[i] = new Layer(this, trainsAll, adapters);
    }

    /// <summary>Runs blocks again instead of keeping their activations.</summary>
    public bool Checkpointing { get; set; }

    /// <summary>Keeps of each block only what derivatives need.</summary>
    public bool PutsAway { get; set; }

    /// <summary>Share of the adapters' input that is dropped.</summary>
    public float Dropout { get; set; } = 0.2f;

    /// <summary>Every tensor with a gradient.</summary>
    public List<Tensor> Parameters { get; } = [];

    /// <summary>Bytes that the activations of a block take, without what comes and goes inside of ops.</summary>
    public static long BytesOfBlock(int rows) => 4L * rows * (5 * Hidden + (Heads + 2 * KvHeads) * HeadDim + 3 * Inner);

    /// <summary>Forward and, where the tape records, backward.</summary>
    public float Step(Tape tape, int rows)
    {
        Tensor loss = Loss(tape, rows);
        if (tape.Recording)
            tape.Backward(loss);
        float value = loss.Values[0];
        tape.Reset();
        return value;
    }

    /// <summary>The loss of a row of tokens that follow each other in a fixed way.</summary>
    public Tensor Loss(Tape tape, int rows)
    {
        Tensor ids = tape.New(new Shape(rows), DType.I32), targets = tape.New(ids.Shape, DType.I32), positions = tape.New(ids.Shape, DType.I32);
        Tensor first = tape.New(ids.Shape, DType.I32), last = tape.New(ids.Shape, DType.I32);
        for (int i = 0; i < rows; i++)
        {
            ids.Integers[i] = i * i % Vocabulary;
            targets.Integers[i] = i % 3 == 0 ? -100 : (i + 1) * (i + 1) % Vocabulary;
            positions.Integers[i] = i;
            first.Integers[i] = i < rows / 3 ? 0 : rows / 3;
            last.Integers[i] = i + 1;
        }
        (Tensor cos, Tensor sin) = tape.RopeTables(positions, _frequencies, 1);
        Tensor x = tape.Embedding(_embedding, ids);
        foreach (Layer layer in _layers)
        {
            layer.Around = new Pass(tape, cos, sin, first, last, Dropout);
            int mark = tape.Mark();
            Tensor y = Checkpointing ? tape.Checkpoint(x, layer, static (layer, x) => layer.Forward(x)) : layer.Forward(x);
            if (!y.RequiresGrad)
            {
                tape.ReleaseTo(mark, y);
                tape.Free(x);
            }
            else if (PutsAway && tape.Recording)
            {
                tape.PutAway(mark, x, y);
            }
            x = y;
        }
        return tape.LinearCrossEntropy(tape.RmsNorm(x, _norm, 1e-5f), _embedding, null, targets, 1f / rows);
    }

    private Tensor Matrix(int rows, int columns, bool trains)
    {
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => (_random.NextSingle() - 0.5f) / 2)];
        return Parameter(Tensor.FromValues(values, new Shape(rows, columns)), trains);
    }

    private Tensor Vector(bool trains) => Parameter(Tensor.FromValues([.. Enumerable.Repeat(1f, Hidden)], new Shape(Hidden)), trains);

    private Tensor Parameter(Tensor tensor, bool trains)
    {
        tensor.RequiresGrad = trains;
        if (trains)
            Parameters.Add(tensor);
        return tensor;
    }

    private readonly record struct Pass(Tape Tape, Tensor Cos, Tensor Sin, Tensor First, Tensor Last, float Dropout);

    private sealed class Layer(SmallTransformer model, bool trainsAll, bool adapters)
    {
        private readonly Tensor _attentionNorm = model.Vector(trainsAll), _mlpNorm = model.Vector(trainsAll);
        private readonly Tensor _qkv = model.Matrix((Heads + 2 * KvHeads) * HeadDim, Hidden, trainsAll), _output = model.Matrix(Hidden, Heads * HeadDim, trainsAll);
        private readonly Tensor _gateUp = model.Matrix(2 * Inner, Hidden, trainsAll), _down = model.Matrix(Hidden, Inner, trainsAll);
        private readonly Tensor? _a = adapters ? model.Matrix(Rank, Hidden, true) : null, _b = adapters ? model.Matrix(2 * Inner, Rank, true) : null;

        public Pass Around { get; set; }

        public Tensor Forward(Tensor x)
        {
            Tape tape = Around.Tape;
            Tensor qkv = tape.Linear(tape.RmsNorm(x, _attentionNorm, 1e-5f), _qkv);
            Tensor q = tape.Rope(tape.Columns(qkv, 0, Heads * HeadDim), Around.Cos, Around.Sin, HeadDim);
            Tensor k = tape.Rope(tape.Columns(qkv, Heads * HeadDim, KvHeads * HeadDim), Around.Cos, Around.Sin, HeadDim);
            Tensor v = tape.Columns(qkv, (Heads + KvHeads) * HeadDim, KvHeads * HeadDim);
            Tensor seen = tape.Attention(q, k, v, Around.First, Around.Last, Heads, KvHeads, 0.35f);
            x = tape.AddTo(x, tape.Linear(seen, _output));
            Tensor normed = tape.RmsNorm(x, _mlpNorm, 1e-5f);
            Tensor both = _a is null
                ? tape.Linear(normed, _gateUp)
                : tape.LowRankLinear(normed, _gateUp, null, false, _a, _b!, 2, Around.Dropout);
            Tensor hidden = tape.Gated(Activation.Silu, tape.Columns(both, 0, Inner), tape.Columns(both, Inner, Inner));
            return tape.AddTo(x, tape.Linear(hidden, _down));
        }
    }
}
