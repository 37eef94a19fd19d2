namespace Lorikeet.Training;

/// <summary>How a run ended.</summary>
public enum TrainOutcome
{
    /// <summary>All steps were made.</summary>
    Finished,
    /// <summary>The evaluation loss no longer fell.</summary>
    StoppedEarly,
    /// <summary>Somebody asked to stop; the state was saved.</summary>
    Interrupted,
}
