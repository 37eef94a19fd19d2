using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// The optimiser's step inside the backward pass (Lv et al. 2023, arXiv:2306.09782): a block's parameters move as soon as their gradients are complete, and
/// the gradients' memory serves the next block. What several parts of a model share moves at the end.
/// </summary>
internal sealed class BackwardUpdates(Trainables trainables, AdamW optimizer, Func<string?> newestCheckpoint)
{
    private readonly bool[] _done = new bool[trainables.Parameters.Count];
    private double _squares;
    private int _step;

    /// <summary>Before the pass.</summary>
    public void Begin(int step, double learningRate)
    {
        (_step, _squares) = (step, 0);
        Array.Clear(_done);
        trainables.ZeroGrads();
        optimizer.Begin(learningRate);
    }

    /// <summary>A block's gradients are complete.</summary>
    public void Passed(Module block)
    {
        IReadOnlyList<int> parameters = trainables.OfBlock(block.Path);
        for (int i = 0; i < parameters.Count; i++)
            Move(parameters[i]);
    }

    /// <summary>Moves what is left.</summary>
    /// <returns>The norm of the whole gradient.</returns>
    public double End()
    {
        for (int i = 0; i < _done.Length; i++)
        {
            if (!_done[i])
                Move(i);
        }
        return Math.Sqrt(_squares);
    }

    private void Move(int index)
    {
        Parameter parameter = trainables.Parameters[index];
        Tensor gradient = parameter.Grad!;
        double squares = gradient.SumOfSquares();
        if (!double.IsFinite(squares))
            throw new DivergedException(_step, $"the gradient of {parameter.Name}", newestCheckpoint(), updated: Array.IndexOf(_done, true) >= 0);
        _squares += squares;
        optimizer.Update(index);
        gradient.Fill(0);
        _done[index] = true;
    }
}
