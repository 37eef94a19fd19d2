using System.ComponentModel.DataAnnotations;

namespace Lorikeet.Training;

/// <summary>
/// The curve of the learning rate. A value that is not given has the default of the schedule named in its description; a value that
/// the chosen <see cref="Kind"/> does not use is reported when a recipe is read.
/// </summary>
[Shorthand(nameof(Kind))]
public sealed record ScheduleOptions
{
    /// <summary>The curve after warm-up.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.Linear;

    /// <summary>Lowest rate as a share of the base rate (cosine, cosine_from_first_step, warmup_stable_decay); 0.</summary>
    [Range(0.0, 1.0)]
    public double? MinLrRatio { get; init; }

    /// <summary>Waves of the cosine: 0.5 (one fall) for the cosines, a whole number, 1, with restarts.</summary>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double? Cycles { get; init; }

    /// <summary>Exponent of polynomial; 1.</summary>
    [Range(0.0, 100.0, MinimumIsExclusive = true)]
    public double? Power { get; init; }

    /// <summary>Rate at the end of polynomial, not a ratio; 1e-7. It must be below the base rate.</summary>
    [Range(0.0, 1e3)]
    public double? EndLr { get; init; }

    /// <summary>Steps after which inverse_sqrt has fallen to 1/√2 of what it was at the end of warm-up; the number of warm-up steps, or 10000 without warm-up.</summary>
    [Range(1, int.MaxValue)]
    public int? Timescale { get; init; }

    /// <summary>Share of the base rate that warm-up of cosine_from_first_step starts from; 1/warmup_steps.</summary>
    [Range(0.0, 1.0)]
    public double? WarmupFrom { get; init; }

    /// <summary>Curve of the warm-up of warmup_stable_decay; linear.</summary>
    public RampShape? WarmupShape { get; init; }

    /// <summary>Steps of the plateau of warmup_stable_decay; what warm-up and decay leave.</summary>
    [Range(0, int.MaxValue)]
    public int? StableSteps { get; init; }

    /// <summary>Steps of the decay of warmup_stable_decay; a tenth of all.</summary>
    [Range(1, int.MaxValue)]
    public int? DecaySteps { get; init; }

    /// <summary>Curve of the decay of warmup_stable_decay; cosine.</summary>
    public RampShape? DecayShape { get; init; }

    /// <summary>What reduce_on_plateau multiplies the rate with; 0.1.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double? Factor { get; init; }

    /// <summary>Evaluations without improvement that reduce_on_plateau accepts; 10.</summary>
    [Range(0, int.MaxValue)]
    public int? Patience { get; init; }

    /// <summary>Relative improvement that reduce_on_plateau asks for; 1e-4.</summary>
    [Range(0.0, 1.0)]
    public double? Threshold { get; init; }

    /// <summary>Evaluations after a reduction that reduce_on_plateau does not count; 0.</summary>
    [Range(0, int.MaxValue)]
    public int? Cooldown { get; init; }

    /// <summary>Rate below which reduce_on_plateau does not go, not a ratio; 0.</summary>
    [Range(0.0, 1e3)]
    public double? MinLr { get; init; }

    /// <summary>The keys that a kind reads; a recipe that sets another one contradicts itself.</summary>
    internal static string[] KeysOf(ScheduleKind kind) => kind switch
    {
        ScheduleKind.Cosine => [nameof(MinLrRatio), nameof(Cycles)],
        ScheduleKind.CosineWithRestarts => [nameof(Cycles)],
        ScheduleKind.CosineFromFirstStep => [nameof(MinLrRatio), nameof(Cycles), nameof(WarmupFrom)],
        ScheduleKind.Polynomial => [nameof(Power), nameof(EndLr)],
        ScheduleKind.InverseSqrt => [nameof(Timescale)],
        ScheduleKind.WarmupStableDecay =>
            [nameof(MinLrRatio), nameof(Cycles), nameof(WarmupShape), nameof(StableSteps), nameof(DecaySteps), nameof(DecayShape)],
        ScheduleKind.ReduceOnPlateau => [nameof(Factor), nameof(Patience), nameof(Threshold), nameof(Cooldown), nameof(MinLr)],
        _ => [],
    };
}
