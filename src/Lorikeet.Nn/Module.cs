namespace Lorikeet.Nn;

/// <summary>A named part of a model. Its path is the prefix of its weights' names on disk, so that adapters can find it.</summary>
public abstract class Module
{
    /// <summary>Registers the module under the path of its weights.</summary>
    protected Module(Weights weights)
    {
        Path = weights.Path;
        weights.Context.Register(this);
    }

    /// <summary><c>model.layers.0.self_attn.q_proj</c>.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{GetType().Name} {Path}";
}
