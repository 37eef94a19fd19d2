using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101), in torch's order of operations.</summary>
public sealed class AdamW : IDisposable
{
    // what is in memory of paged moments at one time, in elements: a multiple of the blocks of eight bits
    private const long Window = 1 << 22;

    private readonly Trainables _trainables;
    private readonly double _beta1, _beta2, _epsilon, _weightDecay;
    private readonly PagedFile? _file;
    private readonly Tensor? _means, _squares;
    private AdamWUpdate _update;

    /// <summary>An optimiser whose moments are zero.</summary>
    /// <param name="trainables">What it moves.</param>
    /// <param name="beta1">Decay of the mean.</param>
    /// <param name="beta2">Decay of the mean square.</param>
    /// <param name="epsilon">Added to the root.</param>
    /// <param name="weightDecay">Of matrices, times the learning rate.</param>
    /// <param name="kind">How moments are kept.</param>
    /// <param name="folder">Where the file of paged moments lies.</param>
    /// <exception cref="UnavailableException">That file cannot be made.</exception>
    public AdamW(Trainables trainables, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, OptimizerKind kind = default, string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(trainables);
        _trainables = trainables;
        (_beta1, _beta2, _epsilon, _weightDecay) = (beta1, beta2, epsilon, weightDecay);
        Kind = kind;
        Moments[] moments = new Moments[trainables.Parameters.Count];
        Moments = moments;
        if (kind == default)
        {
            // laid out as the values: all are one loop
            _means = Tensor.Create(trainables.Values.Shape);
            _squares = Tensor.Create(trainables.Values.Shape);
            long at = 0;
            for (int i = 0; i < moments.Length; at += trainables.Parameters[i++].Shape.Elements)
                moments[i] = new Moments(_means.Part(at, trainables.Parameters[i].Shape), _squares.Part(at, trainables.Parameters[i].Shape), null, null);
            return;
        }
        long bytes = StateBytes(trainables.Parameters.Select(parameter => parameter.Shape.Elements), kind), taken = 0;
        if (kind.Paged)
            _file = PagedFile.Create(folder ?? Path.GetTempPath(), bytes);
        NativeBytes memory = _file?.Bytes ?? new NativeBuffer(bytes).Bytes;
        for (int i = 0; i < moments.Length; i++)
        {
            Shape shape = trainables.Parameters[i].Shape;
            long size = Training.Moments.BytesOf(kind, shape.Elements);
            moments[i] = Training.Moments.In(memory.Slice(taken, size), kind, shape);
            _file?.Release(memory.Slice(taken, size));
            taken += size;
        }
    }

    /// <summary>Steps made.</summary>
    public int Steps { get; set; }

    /// <summary>How moments are kept.</summary>
    public OptimizerKind Kind { get; }

    /// <summary>Of each parameter, in the trainables' order.</summary>
    public IReadOnlyList<Moments> Moments { get; }

    /// <summary>Bytes that the moments of tensors of these sizes take, in memory or in the file.</summary>
    public static long StateBytes(IEnumerable<long> elements, OptimizerKind kind) => elements.Sum(count => Training.Moments.BytesOf(kind, count));

    /// <summary>The same of what is in memory while a step is made.</summary>
    public static long ResidentBytes(IReadOnlyCollection<long> elements, OptimizerKind kind) =>
        kind.Paged ? elements.Select(count => Training.Moments.BytesOf(kind, Math.Min(count, Window))).Append(0).Max() : StateBytes(elements, kind);

    /// <summary>Moves all values one step.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="gradScale">Factor of the gradients: what clipping says.</param>
    public void Step(double learningRate, float gradScale = 1)
    {
        Begin(learningRate, gradScale);
        if (_means is null || _squares is null || _trainables.SharesGradients)
        {
            for (int i = 0; i < Moments.Count; i++)
                Update(i);
            return;
        }
        long decaying = _trainables.Decaying, rest = _trainables.Count - decaying;
        _update.Apply(_trainables.Values, _trainables.Grads, _means, _squares, 0, decaying);
        (_update with { WeightDecay = 0 }).Apply(_trainables.Values, _trainables.Grads, _means, _squares, decaying, rest);
    }

    /// <summary>Begins a step whose parameters are updated one by one.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="gradScale">Factor of the gradients.</param>
    public void Begin(double learningRate, float gradScale = 1)
    {
        Steps++;
        _update = new(learningRate, _beta1, _beta2, _epsilon, _weightDecay, 1 - Math.Pow(_beta1, Steps), 1 - Math.Pow(_beta2, Steps), gradScale);
    }

    /// <summary>Moves one parameter, once a step.</summary>
    public void Update(int index)
    {
        Nn.Parameter parameter = _trainables.Parameters[index];
        (Tensor value, Tensor grad, Moments moments) = (parameter.Value, parameter.Grad!, Moments[index]);
        AdamWUpdate update = Trainables.Decays(parameter) ? _update : _update with { WeightDecay = 0 };
        long count = value.Shape.Elements, window = _file is null ? count : Window;
        for (long first = 0; first < count; first += window)
        {
            long part = Math.Min(window, count - first);
            if (moments.MeanScales is { } meanScales && moments.SquareScales is { } squareScales)
                update.Apply8(value, grad, moments.Mean, meanScales, moments.Square, squareScales, first, part);
            else
                update.Apply(value, grad, moments.Mean, moments.Square, first, part);
            Release(moments, first, part);
        }
    }

    /// <summary>Says that nobody reads the moments of a parameter any more until its next step.</summary>
    public void Release(int index) => Release(Moments[index], 0, Moments[index].Mean.Shape.Elements);

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void Release(Moments moments, long first, long count)
    {
        if (_file is null)
            return;
        foreach (Tensor tensor in (ReadOnlySpan<Tensor>)[moments.Mean, moments.Square])
            _file.Release(tensor.Contents.Slice(tensor.Type.Bytes(first), tensor.Type.Bytes(count)));
        // magnitudes are a sixty-fourth: all of them
        if (moments.MeanScales is not null && moments.SquareScales is not null && first + count == moments.Mean.Shape.Elements)
        {
            _file.Release(moments.MeanScales.Contents);
            _file.Release(moments.SquareScales.Contents);
        }
    }
}
