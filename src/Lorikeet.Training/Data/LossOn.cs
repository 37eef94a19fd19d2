namespace Lorikeet.Training;

/// <summary>Which tokens count in the loss.</summary>
public enum LossOn
{
    /// <summary>The completion of a prompt, or the last turn of the assistant in a chat.</summary>
    Completion,
    /// <summary>Every turn of the assistant in a chat.</summary>
    Assistant,
    /// <summary>Everything, prompts included.</summary>
    All,
}
