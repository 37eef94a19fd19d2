namespace Lorikeet.Inference;

/// <summary>A text to be continued.</summary>
public sealed record GenerationRequest
{
    /// <summary>The tokens to continue, special ones included.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>How many tokens may be written; the model's context may end earlier.</summary>
    public int MaxTokens { get; init; } = 128;

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Tokens that end the text; <see cref="ModelPackage.EndTokens"/>.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Strings that end the text; they are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>True: special tokens are part of the text.</summary>
    public bool KeepSpecial { get; init; }

    /// <summary>
    /// True: the text continues the prompt's, so that both together read as one; a blank at its beginning is kept. False: the text stands alone, as an
    /// answer does, and reads as the tokenizer decodes it.
    /// </summary>
    public bool JoinsPrompt { get; init; }

    /// <summary>Receives the text as it becomes certain: never half a character, never the beginning of a stop string.</summary>
    public Action<string>? TextArrived { get; init; }

    /// <summary>Keys and values of an earlier prompt that began alike; null to compute everything.</summary>
    public PromptCache? Cache { get; init; }
}
