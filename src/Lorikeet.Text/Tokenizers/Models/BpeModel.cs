using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) in the forms of <c>tokenizer.json</c>: over characters, over bytes
/// spelled by the <see cref="ByteAlphabet"/>, with a fallback to <c>&lt;0x..&gt;</c> tokens, with marks for word parts.
/// </summary>
internal sealed class BpeModel : TokenModel
{
    private readonly MergeTable _merges;
    private readonly BpeOptions _options;
    private readonly WordCache _cache = new();
    private readonly int[] _byteTokens = new int[256];
    private readonly int[] _fallbackTokens = new int[256];
    private readonly PieceBorders? _borders;

    /// <summary>Builds the model.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="merges">What merges, and in which order.</param>
    /// <param name="options">How parts of words and unknown characters are treated.</param>
    /// <param name="readBytes">
    /// Pieces come as plain text and are read as bytes, where the options allow it, instead of coming spelled in the byte alphabet.
    /// </param>
    public BpeModel(Vocabulary vocabulary, MergeTable merges, BpeOptions options, bool readBytes = false)
        : base(vocabulary)
    {
        _merges = merges;
        _options = options;
        for (int value = 0; value < 256; value++)
        {
            _byteTokens[value] = vocabulary.IdOf([ByteAlphabet.CharacterOf((byte)value)]);
            _fallbackTokens[value] = vocabulary.IdOf($"<0x{value:X2}>");
        }
        bool isPlain = options.Prefix.Length == 0 && options.Suffix.Length == 0;
        ReadsBytes = readBytes && isPlain && !options.ByteFallback;
        if (isPlain && !ReadsBytes && !options.IgnoreMerges)
            _borders = new(vocabulary.Ids.Keys, c => vocabulary.IdOf([c]) >= 0);
    }

    /// <summary>True where pieces come as plain text and are read as bytes.</summary>
    public bool ReadsBytes { get; }

    public override void Encode(ReadOnlySpan<char> piece, TokenBuffer tokens)
    {
        if (_borders is null)
        {
            EncodeWord(piece, 0, tokens);
            return;
        }
        int end;
        for (int start = 0; start < piece.Length; start = end)
        {
            end = _borders.EndOfStretch(piece, start);
            EncodeWord(piece[start..end], start, tokens);
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, int offset, TokenBuffer tokens)
    {
        if (word.Length > WordCache.MaximumLength)
        {
            Cut(word, offset, tokens, null);
            return;
        }
        CachedWord? cached = _cache.Find(word, out int slot);
        if (cached is null)
        {
            List<(int Id, int Start, int End)> found = [];
            Cut(word, 0, null, found);
            cached = new(word.ToString(), CollectionsMarshal.AsSpan(found), 0);
            _cache.Keep(slot, cached);
        }
        for (int i = 0; i < cached.Count; i++)
        {
            (int id, int start, int end) = cached[i];
            tokens.AddInPiece(id, offset + start, offset + end);
        }
    }

    private void Cut(ReadOnlySpan<char> word, int offset, TokenBuffer? tokens, List<(int Id, int Start, int End)>? list)
    {
        int byteCount = Encoding.UTF8.GetByteCount(word);
        int[] scratch = ArrayPool<int>.Shared.Rent(2 * byteCount);
        Span<int> ids = scratch.AsSpan(0, byteCount);
        Span<int> lengths = scratch.AsSpan(byteCount, byteCount);
        int count = WholeWord(word, byteCount, ids, lengths);
        if (count == 0)
        {
            count = ReadsBytes ? SymbolsOfBytes(word, ids, lengths) : SymbolsOfCharacters(word, ids, lengths);
            count = PairMerger.Merge(_merges, ids[..count], lengths[..count]);
        }
        Report(word, offset, ids[..count], lengths[..count], byteCount, tokens, list);
        ArrayPool<int>.Shared.Return(scratch);
    }

    private int WholeWord(ReadOnlySpan<char> word, int byteCount, Span<int> ids, Span<int> lengths)
    {
        if (!_options.IgnoreMerges)
            return 0;
        int id = ReadsBytes ? Vocabulary.IdOf(Spell(word)) : Vocabulary.IdOf(word);
        if (id < 0)
            return 0;
        ids[0] = id;
        lengths[0] = byteCount;
        return 1;
    }

    private static string Spell(ReadOnlySpan<char> word)
    {
        StringBuilder spelled = new();
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in word.EnumerateRunes())
            foreach (byte value in utf8[..rune.EncodeToUtf8(utf8)])
                spelled.Append(ByteAlphabet.CharacterOf(value));
        return spelled.ToString();
    }

    private int SymbolsOfBytes(ReadOnlySpan<char> word, Span<int> ids, Span<int> lengths)
    {
        int count = 0;
        int unknown = 0;
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in word.EnumerateRunes())
        {
            int bytes = rune.EncodeToUtf8(utf8);
            for (int i = 0; i < bytes; i++)
            {
                int id = _byteTokens[utf8[i]];
                if (id >= 0)
                {
                    FlushUnknown(ref unknown, ids, lengths, ref count);
                    ids[count] = id;
                    lengths[count++] = 1;
                }
                else
                    AddUnknown(1, ref unknown, ids, lengths, ref count);
            }
        }
        FlushUnknown(ref unknown, ids, lengths, ref count);
        return count;
    }

    private int SymbolsOfCharacters(ReadOnlySpan<char> word, Span<int> ids, Span<int> lengths)
    {
        int count = 0;
        int unknown = 0;
        Span<byte> utf8 = stackalloc byte[4];
        for (int at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word[at..], out Rune rune, out int units);
            int bytes = rune.EncodeToUtf8(utf8);
            int id = SymbolOf(word, at, units);
            at += units;
            if (id >= 0)
            {
                FlushUnknown(ref unknown, ids, lengths, ref count);
                ids[count] = id;
                lengths[count++] = bytes;
            }
            else if (_options.ByteFallback && HaveAll(utf8[..bytes]))
            {
                for (int i = 0; i < bytes; i++)
                {
                    ids[count] = _fallbackTokens[utf8[i]];
                    lengths[count++] = 1;
                }
            }
            else
                AddUnknown(bytes, ref unknown, ids, lengths, ref count);
        }
        FlushUnknown(ref unknown, ids, lengths, ref count);
        return count;
    }

    private int SymbolOf(ReadOnlySpan<char> word, int at, int units)
    {
        bool first = at == 0;
        bool last = at + units == word.Length;
        if ((first || _options.Prefix.Length == 0) && (!last || _options.Suffix.Length == 0))
            return Vocabulary.IdOf(word.Slice(at, units));
        return Vocabulary.IdOf(string.Concat(first ? "" : _options.Prefix, word.Slice(at, units), last ? _options.Suffix : ""));
    }

    private bool HaveAll(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
            if (_fallbackTokens[value] < 0)
                return false;
        return true;
    }

    /// <summary>Counts an unknown character, which is dropped where no token stands for it.</summary>
    private void AddUnknown(int bytes, ref int unknown, Span<int> ids, Span<int> lengths, ref int count)
    {
        if (_options.UnknownId < 0)
            return;
        if (!_options.FuseUnknown)
            FlushUnknown(ref unknown, ids, lengths, ref count);
        unknown += bytes;
    }

    private void FlushUnknown(ref int unknown, Span<int> ids, Span<int> lengths, ref int count)
    {
        if (unknown == 0)
            return;
        ids[count] = _options.UnknownId;
        lengths[count++] = unknown;
        unknown = 0;
    }

    /// <summary>Turns lengths in bytes into places in UTF-16 units; a token within a character gets the whole character.</summary>
    private static void Report(
        ReadOnlySpan<char> word, int offset, ReadOnlySpan<int> ids, ReadOnlySpan<int> lengths, int byteCount,
        TokenBuffer? tokens, List<(int Id, int Start, int End)>? list)
    {
        bool ascii = byteCount == word.Length;
        int unit = 0;
        int unitByte = 0;
        int position = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            int start = position;
            position += lengths[i];
            int end = position;
            if (!ascii)
            {
                (int characterUnits, int characterBytes) = CharacterAt(word, unit);
                while (unitByte + characterBytes <= start)
                {
                    unit += characterUnits;
                    unitByte += characterBytes;
                    (characterUnits, characterBytes) = CharacterAt(word, unit);
                }
                start = unit;
                int last = unit;
                int lastByte = unitByte;
                while (lastByte < position)
                {
                    (characterUnits, characterBytes) = CharacterAt(word, last);
                    last += characterUnits;
                    lastByte += characterBytes;
                }
                end = last;
            }
            tokens?.AddInPiece(ids[i], offset + start, offset + end);
            list?.Add((ids[i], start, end));
        }
    }

    private static (int Units, int Bytes) CharacterAt(ReadOnlySpan<char> word, int unit)
    {
        Rune.DecodeFromUtf16(word[unit..], out Rune rune, out int units);
        return (units, rune.Utf8SequenceLength);
    }
}
