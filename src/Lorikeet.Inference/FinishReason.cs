namespace Lorikeet.Inference;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model wrote a token that ends a text.</summary>
    EndToken,

    /// <summary>A stop string came out.</summary>
    StopString,

    /// <summary>As many tokens as were allowed.</summary>
    Length,

    /// <summary>The model can see no further.</summary>
    ContextFull,
}
