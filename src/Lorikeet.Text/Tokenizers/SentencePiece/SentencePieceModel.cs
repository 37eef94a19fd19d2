namespace Lorikeet.Text;

/// <summary>A SentencePiece vocabulary and its settings, from whatever file (Kudo and Richardson 2018, arXiv:1808.06226).</summary>
internal sealed record SentencePieceModel
{
    /// <summary>The mark that stands for a blank.</summary>
    public const char Mark = '\u2581';

    /// <summary>All pieces in the order of their numbers.</summary>
    public required SentencePiece[] Pieces { get; init; }

    /// <summary>Cut by probability instead of by merges.</summary>
    public bool IsUnigram { get; init; }

    /// <summary>Unknown characters are spelled by byte pieces.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A blank is put in front of the text (behind it where blanks end words).</summary>
    public bool AddDummyPrefix { get; init; } = true;

    /// <summary>Only stretches at the very begin of a text get that blank, not those behind an added token.</summary>
    public bool PrefixOnlyAtStart { get; init; }

    /// <summary>Blanks at the ends go, runs become one.</summary>
    public bool RemoveExtraWhitespaces { get; init; } = true;

    /// <summary>Blanks are written as <see cref="Mark"/>.</summary>
    public bool EscapeWhitespaces { get; init; } = true;

    /// <summary>Blanks belong to the end of words.</summary>
    public bool WhitespaceAsSuffix { get; init; }

    /// <summary>Replacements of characters, or null.</summary>
    public CharacterMap? CharacterMap { get; init; }

    /// <summary>What an unknown piece decodes to.</summary>
    public string UnknownSurface { get; init; } = " \u2047 ";

    public int UnknownId { get; init; } = -1;

    public int BosId { get; init; } = -1;

    public int EosId { get; init; } = -1;

    public int PadId { get; init; } = -1;

    /// <summary>The piece with a number, or null.</summary>
    public string? TextOf(int id) => (uint)id < (uint)Pieces.Length ? Pieces[id].Text : null;
}
