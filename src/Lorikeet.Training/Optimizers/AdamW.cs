using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101), in torch's order of operations.</summary>
public sealed class AdamW
{
    private readonly Trainables _trainables;
    private readonly double _beta1, _beta2, _epsilon, _weightDecay;

    /// <summary>An optimiser whose moments are zero.</summary>
    public AdamW(Trainables trainables, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
    {
        ArgumentNullException.ThrowIfNull(trainables);
        _trainables = trainables;
        (_beta1, _beta2, _epsilon, _weightDecay) = (beta1, beta2, epsilon, weightDecay);
        Mean = Trainables.Flat(new NativeBuffer(trainables.Count * sizeof(float)), trainables.Count);
        Square = Trainables.Flat(new NativeBuffer(trainables.Count * sizeof(float)), trainables.Count);
    }

    /// <summary>Steps made.</summary>
    public int Steps { get; set; }

    /// <summary>Moving mean of gradients, laid out as the trainables.</summary>
    public Tensor Mean { get; }

    /// <summary>Moving mean of squared gradients.</summary>
    public Tensor Square { get; }

    /// <summary>Moves all values one step.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="gradScale">Factor of the gradients: what clipping says.</param>
    public void Step(double learningRate, float gradScale = 1)
    {
        Steps++;
        double correction1 = 1 - Math.Pow(_beta1, Steps), correction2 = 1 - Math.Pow(_beta2, Steps);
        long decaying = _trainables.Decaying, rest = _trainables.Count - decaying;
        AdamWUpdate update = new(learningRate, _beta1, _beta2, _epsilon, _weightDecay, correction1, correction2, gradScale);
        update.Apply(_trainables.Values, _trainables.Grads, Mean, Square, 0, decaying);
        (update with { WeightDecay = 0 }).Apply(_trainables.Values, _trainables.Grads, Mean, Square, decaying, rest);
    }
}
