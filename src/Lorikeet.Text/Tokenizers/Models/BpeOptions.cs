namespace Lorikeet.Text;

/// <summary>How a <see cref="BpeModel"/> treats the parts of a word and characters that it does not know.</summary>
internal sealed record BpeOptions
{
    /// <summary>Put before every symbol of a word but the first when it is looked up (<c>continuing_subword_prefix</c>).</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Put after the last symbol of a word when it is looked up (<c>end_of_word_suffix</c>).</summary>
    public string Suffix { get; init; } = "";

    /// <summary>The token for unknown characters; -1 drops them.</summary>
    public int UnknownId { get; init; } = -1;

    /// <summary>One unknown token for a whole run of unknown characters.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Spell unknown characters by <c>&lt;0x..&gt;</c> tokens where the vocabulary has them.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A word that is a token as a whole is taken as it is.</summary>
    public bool IgnoreMerges { get; init; }
}
