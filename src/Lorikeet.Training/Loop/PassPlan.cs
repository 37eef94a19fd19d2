using Lorikeet.Kernels;

namespace Lorikeet.Training;

/// <summary>
/// How the passes of a step are made: what decides between memory and time. The gradient of a step is the same, but for rounding, however its batches
/// are divided and whatever is computed again.
/// </summary>
/// <param name="Items">Rows of a batch (packs, when packing) that one forward and backward pass takes at most.</param>
/// <param name="CheckpointedBlocks">Blocks, the lowest first, that are run again in the backward pass instead of keeping their activations.</param>
/// <param name="Activations">What activations are kept in: f32 or bf16.</param>
public sealed record PassPlan(int Items, int CheckpointedBlocks, DType Activations)
{
    /// <summary>What options say where no budget asks for anything else.</summary>
    /// <param name="options">Of the run.</param>
    /// <param name="blocks">Blocks of the model.</param>
    public static PassPlan Of(TrainingOptions options, int blocks)
    {
        ArgumentNullException.ThrowIfNull(options);
        bool narrow = options.Activations is { } wanted && wanted != Precision.Auto
            ? wanted == Precision.BF16
            : Trainer.PrecisionOf(options.Precision) == GemmPrecision.BF16;
        return new PassPlan(options.BatchSize, options.GradientCheckpointing ? blocks : 0, narrow ? DType.BF16 : DType.F32);
    }
}
