namespace Lorikeet.Text;

/// <summary>What a loader hands to <see cref="Tokenizer"/>.</summary>
internal sealed record TokenizerParts
{
    /// <summary>Encodes what lies between added tokens.</summary>
    public required SectionEncoder Encoder { get; init; }

    /// <summary>Begins a decoding; the flag leaves out special tokens.</summary>
    public required Func<Tokenizer, bool, TokenDecoding> Decoding { get; init; }

    /// <summary>Tokens looked for before the model.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Tokens besides the special added ones that decoding can leave out.</summary>
    public IReadOnlyCollection<int> ControlIds { get; init; } = [];

    /// <summary>What goes around a text.</summary>
    public SpecialTokenTemplate Template { get; init; } = SpecialTokenTemplate.None;

    public string? BosToken { get; init; }

    public string? EosToken { get; init; }

    public string? PadToken { get; init; }

    public string? UnknownToken { get; init; }
}
