namespace Lorikeet.Training;

/// <summary>
/// A rate that shrinks when a watched value stops improving: torch's <c>ReduceLROnPlateau</c>, down to its rule that a change of at most
/// 1e-8 is not made.
/// </summary>
internal sealed class Plateau
{
    private const double SmallestChange = 1e-8;

    /// <summary>What the rate is multiplied with.</summary>
    public double Factor { get; init; } = 0.1;

    /// <summary>Values without improvement that are accepted.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>How much better a value must be to count.</summary>
    public double Threshold { get; init; } = 1e-4;

    /// <summary>Whether <see cref="Threshold"/> is a difference instead of a share of the best value.</summary>
    public bool Absolute { get; init; }

    /// <summary>Whether larger values are better.</summary>
    public bool Maximise { get; init; }

    /// <summary>Values after a reduction that are not counted.</summary>
    public int Cooldown { get; init; }

    /// <summary>The lowest rate.</summary>
    public double MinRate { get; init; }

    /// <summary>Everything that changes, for a checkpoint.</summary>
    public required PlateauState State { get; set; }

    /// <summary>Takes the next value of what is watched.</summary>
    public void Observe(double value)
    {
        (double rate, double? best, int bad, int cooling) = State;
        if (Improves(value, best))
        {
            best = value;
            bad = 0;
        }
        else
        {
            bad++;
        }
        if (cooling > 0)
        {
            cooling--;
            bad = 0;
        }
        if (bad > Patience)
        {
            double lower = Math.Max(rate * Factor, MinRate);
            if (rate - lower > SmallestChange)
                rate = lower;
            cooling = Cooldown;
            bad = 0;
        }
        State = new PlateauState(rate, best, bad, cooling);
    }

    private bool Improves(double value, double? best) => best is not { } b || (Maximise, Absolute) switch
    {
        (false, false) => value < b * (1.0 - Threshold),
        (false, true) => value < b - Threshold,
        (true, false) => value > b * (1.0 + Threshold),
        (true, true) => value > b + Threshold,
    };
}
