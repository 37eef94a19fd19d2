namespace Lorikeet.Training;

/// <summary>The curve of a warm-up or a decay of <see cref="ScheduleKind.WarmupStableDecay"/>.</summary>
public enum RampShape
{
    /// <summary>A straight line.</summary>
    Linear,
    /// <summary>Half a cosine.</summary>
    Cosine,
    /// <summary>One minus a square root: steep first when it falls, steep last when it rises.</summary>
    InverseSqrt,
}
