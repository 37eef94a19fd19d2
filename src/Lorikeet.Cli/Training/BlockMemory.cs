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
    private const int Rows = 64;

    /// <summary>Measures a block whose parameters are marked as trained.</summary>
    public static BlockMemory Of(Block block, int hidden, bool checkpointed, DType activations)
    {
        using Tape tape = new() { Recording = true, Activations = activations };
        Step step = new(tape) { Training = true, CheckpointedBlocks = checkpointed ? int.MaxValue : 0 };
        RaggedBatch batch = new();
        batch.Add(new int[Rows]);
        step.Begin(batch);
        Tensor x = tape.Zeros(new Shape(Rows, hidden));
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
        return new BlockMemory((double)kept / Rows, (double)forward / Rows, (double)(tape.PeakBytes - after) / Rows);
    }
}
