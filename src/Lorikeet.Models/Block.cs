using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>A block of a transformer: residual stream in, residual stream out.</summary>
public abstract class Block : Module
{
    private readonly Func<Step, Tensor, Tensor> _body;

    /// <summary>A block at this path.</summary>
    protected Block(Weights weights) : base(weights) => _body = (step, x) => Forward(x, step);

    /// <summary><c>[rows, hidden]</c> to the same.</summary>
    public abstract Tensor Forward(Tensor x, Step step);

    /// <summary>
    /// Runs the block with the memory that the pass calls for. Activations stay for the derivative, or are computed again (checkpointing);
    /// where nothing up to here wants a derivative they are freed as soon as the block is done.
    /// </summary>
    public Tensor Run(Tensor x, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Tape tape = step.Tape;
        int mark = tape.Mark();
        if (tape.Recording && step.Passed is { } passed)
            tape.WhenPassed(this, passed);
        Tensor y = tape.Recording && step.Checkpointing ? tape.Checkpoint(x, step, _body) : Forward(x, step);
        if (!y.RequiresGrad && y != x)
        {
            tape.ReleaseTo(mark, y);
            tape.Free(x);
        }
        return y;
    }
}
