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
    /// Runs the block with the memory that the pass calls for. What derivatives need is kept as small as it can be (<see cref="Tape.PutAway"/>), or
    /// computed again (checkpointing); where nothing up to here wants a derivative all is freed as soon as the block is done.
    /// </summary>
    /// <param name="x">The residual stream.</param>
    /// <param name="step">The pass.</param>
    /// <param name="index">The block's number, from 0.</param>
    public Tensor Run(Tensor x, Step step, int index)
    {
        ArgumentNullException.ThrowIfNull(step);
        Tape tape = step.Tape;
        int mark = tape.Mark();
        if (tape.Recording && step.Passed is { } passed)
            tape.WhenPassed(this, passed);
        Tensor y = tape.Recording && index < step.CheckpointedBlocks ? tape.Checkpoint(x, step, _body) : Forward(x, step);
        if (!y.RequiresGrad && y != x)
        {
            tape.ReleaseTo(mark, y);
            tape.Free(x);
        }
        else if (tape.Recording)
        {
            tape.PutAway(mark, x, y);
        }
        return y;
    }
}
