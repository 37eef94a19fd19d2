namespace Lorikeet.Training;

/// <summary>
/// The learning rate of every step. With the same numbers the rates are bit-equal to those of transformers' <c>get_scheduler</c>
/// (constant, linear, cosine, cosine_with_restarts, polynomial, inverse_sqrt, cosine_with_min_lr, cosine_warmup_with_min_lr as
/// <see cref="ScheduleKind.CosineFromFirstStep"/>, warmup_stable_decay) and torch's <c>ReduceLROnPlateau</c>.
/// </summary>
public sealed class Schedule
{
    private readonly ScheduleOptions _options;
    private readonly double _baseRate;
    private readonly int _warmupSteps;
    private readonly int _totalSteps;
    private readonly Plateau? _plateau;

    /// <summary>The schedule of a run.</summary>
    /// <param name="options">The curve.</param>
    /// <param name="baseRate">The rate that warm-up ends at.</param>
    /// <param name="warmupSteps">Steps during which the rate rises; step 0 then has rate 0.</param>
    /// <param name="totalSteps">Optimiser steps of the whole run.</param>
    public Schedule(ScheduleOptions options, double baseRate, int warmupSteps, int totalSteps)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        if (options.Kind == ScheduleKind.Polynomial && (options.EndLr ?? DefaultEndLr) >= baseRate)
            throw new ArgumentException($"the end rate {options.EndLr ?? DefaultEndLr} of a polynomial schedule must be below the base rate {baseRate}");
        _options = options;
        _baseRate = baseRate;
        _warmupSteps = warmupSteps;
        _totalSteps = totalSteps;
        if (options.Kind == ScheduleKind.ReduceOnPlateau)
        {
            _plateau = new Plateau
            {
                Factor = options.Factor ?? 0.1,
                Patience = options.Patience ?? 10,
                Threshold = options.Threshold ?? 1e-4,
                Cooldown = options.Cooldown ?? 0,
                MinRate = options.MinLr ?? 0,
                State = new PlateauState(baseRate, null, 0, 0),
            };
        }
    }

    /// <summary>Rate at the end of a polynomial schedule that names none.</summary>
    public const double DefaultEndLr = 1e-7;

    /// <summary>What evaluations have changed so far; null unless the rate depends on them. Kept in checkpoints.</summary>
    public PlateauState? State
    {
        get => _plateau?.State;
        set
        {
            if ((_plateau is null) != (value is null))
                throw new ArgumentException("a schedule's state fits only the kind of schedule that it came from");
            if (_plateau is not null)
                _plateau.State = value!;
        }
    }

    /// <summary>The rate that optimiser step <paramref name="step"/> (0-based) uses.</summary>
    public double At(int step) => _plateau is not null ? _plateau.State.Rate : _baseRate * Share(step);

    /// <summary>Tells the schedule an evaluation loss; only <see cref="ScheduleKind.ReduceOnPlateau"/> listens.</summary>
    public void Observe(double evaluationLoss) => _plateau?.Observe(evaluationLoss);

    /// <summary>How many steps a warm-up given as a share of all steps takes: rounded up, as transformers does.</summary>
    public static int WarmupSteps(double ratio, int totalSteps) => (int)Math.Ceiling(totalSteps * ratio);

    private double Share(int step)
    {
        if (step < _warmupSteps)
            return Warmup(step);
        double left = Math.Max(1, _totalSteps - _warmupSteps);
        double progress = (step - _warmupSteps) / left;
        switch (_options.Kind)
        {
            case ScheduleKind.Linear:
                return Math.Max(0.0, (_totalSteps - step) / left);
            case ScheduleKind.Cosine:
                return Lifted(Wave(progress));
            case ScheduleKind.CosineFromFirstStep:
                return Lifted(Wave((step - _warmupSteps + 1.0) / left));
            case ScheduleKind.CosineWithRestarts:
                return progress >= 1.0 ? 0.0 : Math.Max(0.0, 0.5 * (1.0 + Math.Cos(Math.PI * ((_options.Cycles ?? 1) * progress % 1.0))));
            case ScheduleKind.Polynomial:
                return Polynomial(step);
            case ScheduleKind.InverseSqrt:
                int timescale = _options.Timescale ?? (_warmupSteps > 0 ? _warmupSteps : 10_000);
                return 1.0 / Math.Sqrt((step + (timescale - _warmupSteps)) / (double)timescale);
            case ScheduleKind.WarmupStableDecay:
                return StableDecay(step);
            default:
                return 1.0;
        }
    }

    private double Warmup(int step)
    {
        switch (_options.Kind)
        {
            case ScheduleKind.CosineFromFirstStep:
                return _options.WarmupFrom is { } from
                    ? from + (1.0 - from) * step / Math.Max(1.0, _warmupSteps - 1.0)
                    : (step + 1.0) / Math.Max(1.0, _warmupSteps);
            case ScheduleKind.WarmupStableDecay:
                double progress = step / (double)_warmupSteps;
                return Lifted((_options.WarmupShape ?? RampShape.Linear) switch
                {
                    RampShape.Cosine => 0.5 * (1.0 - Math.Cos(Math.PI * progress)),
                    RampShape.InverseSqrt => 1.0 - Math.Sqrt(1.0 - progress),
                    _ => progress,
                });
            default:
                return step / (double)_warmupSteps;
        }
    }

    private double StableDecay(int step)
    {
        int decay = DecaySteps(_options, _totalSteps);
        int stable = _options.StableSteps ?? _totalSteps - _warmupSteps - decay;
        int intoDecay = step - _warmupSteps - stable;
        if (intoDecay < 0)
            return 1.0;
        if (intoDecay >= decay)
            return _options.MinLrRatio ?? 0.0;
        double progress = intoDecay / (double)decay;
        return Lifted((_options.DecayShape ?? RampShape.Cosine) switch
        {
            RampShape.Linear => 1.0 - progress,
            RampShape.InverseSqrt => 1.0 - Math.Sqrt(progress),
            _ => Wave(progress),
        });
    }

    /// <summary>Steps of the decay of <see cref="ScheduleKind.WarmupStableDecay"/>.</summary>
    internal static int DecaySteps(ScheduleOptions options, int totalSteps) => options.DecaySteps ?? Math.Max(1, totalSteps / 10);

    private double Polynomial(int step)
    {
        double end = _options.EndLr ?? DefaultEndLr;
        if (step >= _totalSteps)
            return end / _baseRate;
        double remaining = 1 - (step - _warmupSteps) / (double)(_totalSteps - _warmupSteps);
        return ((_baseRate - end) * Math.Pow(remaining, _options.Power ?? 1.0) + end) / _baseRate;
    }

    private double Wave(double progress) => 0.5 * (1.0 + Math.Cos(Math.PI * (_options.Cycles ?? 0.5) * 2.0 * progress));

    // the share of the range above the floor; without a floor it is the value itself
    private double Lifted(double share)
    {
        double floor = _options.MinLrRatio ?? 0.0;
        return Math.Max(0.0, share * (1.0 - floor) + floor);
    }
}
