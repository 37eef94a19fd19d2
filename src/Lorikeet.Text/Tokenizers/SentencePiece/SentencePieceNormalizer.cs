using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// Rewrites a text as SentencePiece does before cutting it, and remembers where in the original each unit begins. A unit ends where the
/// next one begins, so of several units that one character became, all but the last have no extent.
/// </summary>
internal sealed class SentencePieceNormalizer(SentencePieceModel model, CharacterTrie? userDefined)
{
    private readonly char _blank = model.EscapeWhitespaces ? SentencePieceModel.Mark : ' ';

    /// <summary>Rewrites [start, end) of a text.</summary>
    public void Apply(string text, int start, int end, NormalizedText normalized)
    {
        Source source = new(text, start, end, model.CharacterMap, userDefined);
        if (model.RemoveExtraWhitespaces)
            while (!source.IsAtEnd && source.Peek(out int length) is " ")
                source.Advance(length);
        if (source.IsAtEnd)
            return;

        bool prefix = model.AddDummyPrefix && (start == 0 || !model.PrefixOnlyAtStart);
        if (prefix && !model.WhitespaceAsSuffix)
            normalized.Add(_blank, source.At);
        bool afterBlank = model.RemoveExtraWhitespaces;
        while (!source.IsAtEnd)
        {
            ReadOnlySpan<char> replacement = source.Peek(out int length);
            while (afterBlank && !replacement.IsEmpty && replacement[0] == ' ')
                replacement = replacement[1..];
            foreach (char c in replacement)
                normalized.Add(c == ' ' ? _blank : c, source.At);
            if (!replacement.IsEmpty)
                afterBlank = replacement[^1] == ' ';
            source.Advance(length);
            afterBlank &= model.RemoveExtraWhitespaces;
        }
        int consumed = source.At;
        while (model.RemoveExtraWhitespaces && normalized.EndsWith(_blank))
        {
            consumed = normalized.LastOrigin;
            normalized.RemoveLast();
        }
        if (prefix && model.WhitespaceAsSuffix)
            normalized.Add(_blank, consumed);
        normalized.Finish(consumed);
    }

    /// <summary>Walks through the original, one replaced prefix at a time.</summary>
    private ref struct Source(string text, int start, int end, CharacterMap? map, CharacterTrie? userDefined)
    {
        private const int LongestKey = 64;

        private readonly ReadOnlySpan<char> _text = text.AsSpan(0, end);
        private string? _replacement;

        public int At { get; private set; } = start;

        public readonly bool IsAtEnd => At >= _text.Length;

        /// <summary>What the next prefix becomes, and how many units it takes.</summary>
        public ReadOnlySpan<char> Peek(out int length)
        {
            ReadOnlySpan<char> rest = _text[At..];
            length = 1;
            if (userDefined is null && (map is null ? !char.IsSurrogate(rest[0]) : map.LeavesAlone(rest[0])))
                return rest[..1];
            if (userDefined is not null && userDefined.Longest(CharacterTrie.Root, rest, 0, out length) != CharacterTrie.NoValue)
                return rest[..length];
            if (map is not null && !map.LeavesAlone(rest[0]))
            {
                Span<byte> utf8 = stackalloc byte[3 * LongestKey];
                ReadOnlySpan<char> window = rest[..Math.Min(rest.Length, LongestKey)];
                int bytes = Encoding.UTF8.GetBytes(window, utf8);
                _replacement = map.Longest(utf8[..bytes], out int matched);
                if (_replacement is not null)
                {
                    length = UnitsOf(window, matched);
                    return _replacement;
                }
            }
            bool valid = Rune.DecodeFromUtf16(rest, out _, out length) == System.Buffers.OperationStatus.Done;
            return valid ? rest[..length] : "\uFFFD";
        }

        public void Advance(int length) => At += length;

        private static int UnitsOf(ReadOnlySpan<char> text, int bytes)
        {
            int units = 0;
            while (bytes > 0 && units < text.Length)
            {
                Rune.DecodeFromUtf16(text[units..], out Rune rune, out int count);
                units += count;
                bytes -= rune.Utf8SequenceLength;
            }
            return units;
        }
    }
}
