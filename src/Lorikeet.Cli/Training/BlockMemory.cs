using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Training;

/// <summary>
/// What one block takes for each row of a pass, measured on a short one: it holds for every architecture and every adapter, and costs milliseconds.
/// </summary>
/// <param name="Kept">Bytes between the forward and the backward pass.</param>
/// <param name="Forward">Bytes that the forward pass takes for a moment, beyond its input.</param>
/// <param name="Backward">Bytes that the backward pass takes for a moment, beyond what was kept, the stream and its derivative.</param>
internal readonly record struct BlockMemory(double Kept, double Forward, double Backward)
{
    private const int Fewest = 64, Most = 2 * AttentionOp.FewKeys + Fewest;

    /// <summary>Measures a block whose parameters are marked as trained.</summary>
    /// <param name="block">Of any model.</param>
    /// <param name="hidden">Numbers of a row.</param>
    /// <param name="longest">Rows of the longest text: short ones keep less of attention.</param>
    /// <param name="checkpointed">Whether it is run again.</param>
    /// <param name="activations">What is kept is kept in this.</param>
    public static BlockMemory Of(Block block, int hidden, int longest, bool checkpointed, DType activations)
    {
        int rows = Math.Clamp(longest, Fewest, Most);
        using Tape tape = new() { Recording = true, Activations = activations };
        Step step = new(tape) { Training = true, CheckpointedBlocks = checkpointed ? int.MaxValue : 0 };
        RaggedBatch batch = new();
        batch.Add(new int[rows]);
        step.Begin(batch);
        Tensor x = tape.Zeros(new Shape(rows, hidden));
        x.RequiresGrad = true;
        // the first run makes what all blocks share
        Tensor y = block.Run(x, step, 0);
        long before = tape.UsedBytes;
        tape.ForgetPeak();
        y = block.Run(y, step, 0);
        long kept = tape.UsedBytes - before, forward = tape.PeakBytes - before;
        Tensor loss = tape.SquaredError(y, tape.Zeros(y.Shape), 1);
        long after = tape.UsedBytes;
        tape.ForgetPeak();
        tape.Backward(loss);
        return new BlockMemory((double)kept / rows, (double)forward / rows, (double)(tape.PeakBytes - after) / rows);
    }
}
