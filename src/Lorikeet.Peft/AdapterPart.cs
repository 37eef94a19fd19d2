namespace Lorikeet.Peft;

/// <summary>What an adapter puts at one place of a model.</summary>
public abstract class AdapterPart
{
    /// <summary>Starts to act.</summary>
    public abstract void Attach();

    /// <summary>Stops acting; the model computes as before.</summary>
    public abstract void Detach();

    /// <summary>Why this part cannot become part of the weights, or null where it can.</summary>
    public virtual string? MergeObstacle => "it changes what is computed, not a weight";

    /// <summary>Turns the place's weights into what they are with this part, and stops acting.</summary>
    public virtual void Merge() => throw new InvalidOperationException(MergeObstacle);

    /// <summary>The weights that it is merged into, in the order in which it changed them.</summary>
    internal virtual IEnumerable<MergedWeight> MergedWeights => [];

    /// <summary>Puts the former weights back, bit for bit, and acts again.</summary>
    public virtual void Unmerge() => throw new InvalidOperationException(MergeObstacle);
}
