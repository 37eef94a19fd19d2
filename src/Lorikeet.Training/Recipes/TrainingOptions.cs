using System.ComponentModel.DataAnnotations;

namespace Lorikeet.Training;

/// <summary>How a run learns. The optimiser is AdamW.</summary>
public sealed record TrainingOptions
{
    /// <summary>Passes over the data, parts of one allowed; 1 when <see cref="Steps"/> is not given either.</summary>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double? Epochs { get; init; }

    /// <summary>Optimiser steps, in place of <see cref="Epochs"/>.</summary>
    [Range(1, int.MaxValue)]
    public int? Steps { get; init; }

    /// <summary>Rows (packs, when packing) that one forward pass sees.</summary>
    [Range(1, 1_000_000)]
    public int BatchSize { get; init; } = 8;

    /// <summary>Batches that one optimiser step adds up; the loss is divided by the target tokens of all of them.</summary>
    [Range(1, 1_000_000)]
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>The rate that warm-up ends at; when not given, what suits the method.</summary>
    [Range(0.0, 1e3, MinimumIsExclusive = true)]
    public double? LearningRate { get; init; }

    /// <summary>How the rate moves after warm-up.</summary>
    public ScheduleOptions LrScheduler { get; init; } = new();

    /// <summary>Steps during which the rate rises from zero; none.</summary>
    [Range(0, int.MaxValue)]
    public int? WarmupSteps { get; init; }

    /// <summary>The same as a share of all steps, rounded up.</summary>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double? WarmupRatio { get; init; }

    /// <summary>Norm that the gradient of all trained weights together is clipped to; 0 does not clip.</summary>
    [Range(0.0, 1e6)]
    public double MaxGradNorm { get; init; } = 1.0;

    /// <summary>Decay of the weights per step, times the learning rate; not on norms and biases.</summary>
    [Range(0.0, 10.0)]
    public double WeightDecay { get; init; }

    /// <summary>How AdamW keeps its moments: adamw, adamw_8bit, paged_adamw or paged_adamw_8bit, or what transformers calls one of these.</summary>
    public string Optimizer { get; init; } = "adamw";

    /// <summary>Folder of the file that paged moments live in while the run lasts; the run's output folder when not given.</summary>
    public string? OptimizerState { get; init; }

    /// <summary>
    /// Whether weights move inside the backward pass, block by block, so that gradients of the whole model are never there together. For full
    /// fine-tuning; by default where nothing needs them together: without clipping and accumulation.
    /// </summary>
    public bool? OptimizerInBackward { get; init; }

    /// <summary>AdamW: decay of the mean of gradients.</summary>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>AdamW: decay of the mean of squared gradients.</summary>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>AdamW: added to the root in the denominator.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>NEFTune: noise on the embeddings, in units of 1/√(tokens × width); 0 is none.</summary>
    [Range(0.0, 1e4)]
    public double NeftuneNoiseAlpha { get; init; }

    /// <summary>Chooses the order of rows, initial values, dropout and noise.</summary>
    [Range(0, int.MaxValue)]
    public int Seed { get; init; } = 42;

    /// <summary>How the products are computed.</summary>
    public Precision Precision { get; init; } = Precision.F32;

    /// <summary>
    /// What activations are kept in between forward and backward pass: f32, bf16 (half the memory), or auto, which takes bf16 where <see cref="Memory"/>
    /// calls for it. When not given, bf16 where <see cref="Precision"/> rounds products to it, else f32.
    /// </summary>
    public Precision? Activations { get; init; }

    /// <summary>
    /// The memory that a step may take at most, as <c>1GB</c> or <c>900MB</c>: batches are then divided into smaller passes, and blocks are computed
    /// again in the backward pass, as far as that is needed. The gradient stays what it was.
    /// </summary>
    public string? Memory { get; init; }

    /// <summary>Whether activations are computed again in the backward pass instead of kept: less memory, about a third more time.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Optimiser steps between evaluations; only before and after training when not given.</summary>
    [Range(1, int.MaxValue)]
    public int? EvalEvery { get; init; }

    /// <summary>Rows of an evaluation batch; <see cref="BatchSize"/> when not given.</summary>
    [Range(1, 1_000_000)]
    public int? EvalBatchSize { get; init; }

    /// <summary>Evaluations without improvement after which training stops; never when not given.</summary>
    [Range(1, int.MaxValue)]
    public int? EarlyStoppingPatience { get; init; }

    /// <summary>How much lower the evaluation loss must be to count as an improvement.</summary>
    [Range(0.0, 1e6)]
    public double EarlyStoppingThreshold { get; init; }

    /// <summary>Optimiser steps between checkpoints; only at the end when not given.</summary>
    [Range(1, int.MaxValue)]
    public int? SaveEvery { get; init; }

    /// <summary>Checkpoints that are kept, the newest; the best one is kept besides.</summary>
    [Range(1, 1_000_000)]
    public int SaveTotalLimit { get; init; } = 2;

    /// <summary>What <see cref="Optimizer"/> names.</summary>
    /// <exception cref="ArgumentException">Nothing has that name.</exception>
    internal OptimizerKind OptimizerKind => OptimizerKind.Parse(Optimizer) ?? throw new ArgumentException($"{Optimizer} is no optimiser");

    /// <summary>Whether weights move inside the backward pass.</summary>
    /// <exception cref="ArgumentException">They shall, and <see cref="WhyGradientsStay"/> says why they cannot.</exception>
    public bool UpdatesInBackward => OptimizerInBackward == true && WhyGradientsStay is { } reason ? throw new ArgumentException(reason) : OptimizerInBackward ?? WhyGradientsStay is null;

    /// <summary>Why the gradients of all weights have to be there together before one of them moves; null where they need not.</summary>
    public string? WhyGradientsStay =>
        MaxGradNorm > 0 ? "clipping to max_grad_norm needs the gradients of all weights before one of them moves; write max_grad_norm: 0"
        : GradientAccumulationSteps > 1 ? "gradients are added up over gradient_accumulation_steps batches before a weight moves; write gradient_accumulation_steps: 1"
        : null;

    /// <summary>Optimiser steps of the run.</summary>
    /// <param name="stepsPerEpoch">Steps that one pass over the data takes.</param>
    public int TotalSteps(int stepsPerEpoch) => Steps ?? (int)Math.Min(int.MaxValue, Math.Ceiling((Epochs ?? 1.0) * stepsPerEpoch));

    /// <summary>Steps of warm-up of a run.</summary>
    /// <param name="totalSteps">Optimiser steps of the run.</param>
    public int TotalWarmupSteps(int totalSteps) => WarmupSteps ?? (WarmupRatio is { } ratio ? Schedule.WarmupSteps(ratio, totalSteps) : 0);
}
