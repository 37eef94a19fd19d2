namespace Lorikeet.Training;

/// <summary>How the learning rate moves from the end of warm-up to the end of training.</summary>
public enum ScheduleKind
{
    /// <summary>Stays at the base rate.</summary>
    Constant,
    /// <summary>Falls in a straight line to zero.</summary>
    Linear,
    /// <summary>Falls along half a cosine to zero, or to <see cref="ScheduleOptions.MinLrRatio"/>.</summary>
    Cosine,
    /// <summary>Several falls along half a cosine, each starting at the base rate again (SGDR without lengthening periods).</summary>
    CosineWithRestarts,
    /// <summary>As <see cref="Cosine"/>, but a step counts as already made: the first rate of warm-up is above zero and the last step reaches the minimum.</summary>
    CosineFromFirstStep,
    /// <summary>Falls as a power of the remaining fraction to <see cref="ScheduleOptions.EndLr"/>.</summary>
    Polynomial,
    /// <summary>Falls with the inverse square root of the step and never ends.</summary>
    InverseSqrt,
    /// <summary>Warm-up, a plateau, then a decay: training can go on from the end of the plateau.</summary>
    WarmupStableDecay,
    /// <summary>Shrinks by a factor each time the evaluation loss stops falling.</summary>
    ReduceOnPlateau,
}
