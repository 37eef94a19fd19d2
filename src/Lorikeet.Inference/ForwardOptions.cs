namespace Lorikeet.Inference;

/// <summary>What a forward pass should give besides logits.</summary>
public sealed record ForwardOptions
{
    /// <summary><c>hidden_states.0</c> (embeddings), <c>hidden_states.i</c> (output of block i - 1, before the final norm) and <c>last_hidden_state</c>.</summary>
    public bool HiddenStates { get; init; }

    /// <summary><c>loss</c>: the mean over all targets.</summary>
    public bool Loss { get; init; }

    /// <summary><c>grad.NAME</c> of every trained weight, under its name on disk.</summary>
    public bool Gradients { get; init; }
}
