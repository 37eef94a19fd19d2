using System.Buffers;
using System.Runtime.InteropServices;

namespace Lorikeet.Text;

/// <summary>
/// Cuts normalised text by merging: of all neighbours that together spell a piece, those whose piece scores highest merge first.
/// </summary>
internal sealed class SentencePieceMerges
{
    /// <summary>Set in the number of a symbol that must not merge.</summary>
    private const int Frozen = 1 << 30;

    private readonly List<(int Left, int Right, int Result)> _pairs = [];
    private readonly int[] _ranks;
    private readonly MergeTable _merges;
    private readonly CharacterTrie _symbols = new();
    private readonly CharacterTrie? _userDefined;
    private readonly SentencePieceModel _model;
    private readonly int _pieceCount;
    private readonly WordCache _cache = new();
    private readonly PieceBorders _borders;

    /// <summary>Prepares a model.</summary>
    public SentencePieceMerges(SentencePieceModel model, CharacterTrie? userDefined)
    {
        _model = model;
        _userDefined = userDefined;
        _pieceCount = model.Pieces.Length;
        Dictionary<string, int> symbols = new(StringComparer.Ordinal);
        for (int id = 0; id < _pieceCount; id++)
            if (IsMergeable(model.Pieces[id]))
                symbols.TryAdd(model.Pieces[id].Text, id);
        // a character that is no piece itself may still be part of one: it gets a number beyond the pieces
        int virtualId = _pieceCount;
        string[] pieces = [.. symbols.Keys];
        foreach (string character in pieces.SelectMany(CharactersOf))
            if (symbols.TryAdd(character, virtualId))
                virtualId++;
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = symbols.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string text in pieces)
            for (int cut = FirstLength(text, 0); cut < text.Length; cut += FirstLength(text, cut))
                if (lookup.TryGetValue(text.AsSpan(0, cut), out int left) && lookup.TryGetValue(text.AsSpan(cut), out int right))
                    _pairs.Add((left, right, symbols[text]));
        _ranks = Ranks(model.Pieces);
        _merges = TableWithout(-1);
        foreach ((string text, int id) in symbols)
            if (text.Length > 0 && FirstLength(text, 0) == text.Length)
                _symbols.Add(text, id);
        _borders = new(model.Pieces.Where(IsMergeable).Select(p => p.Text), _ => true);
    }

    /// <summary>Adds the pieces of a text in order; characters that no piece covers come one by one with the number -1.</summary>
    public void Cut(ReadOnlySpan<char> text, List<(int Id, int Start, int End)> pieces)
    {
        int end;
        for (int start = 0; start < text.Length; start = end)
        {
            end = _borders.EndOfStretch(text, start);
            CutWord(text[start..end], start, pieces);
        }
    }

    private static bool IsMergeable(SentencePiece piece) => piece.Text.Length > 0 && piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused;

    /// <summary>Equal scores get equal ranks, so that of them the leftmost merges first.</summary>
    private static int[] Ranks(SentencePiece[] pieces)
    {
        float[] scores = [.. pieces.Select(p => p.Score).Distinct().OrderDescending()];
        Dictionary<float, int> rankOf = scores.Select((score, rank) => (score, rank)).ToDictionary(p => p.score, p => p.rank);
        return [.. pieces.Select(p => rankOf[p.Score])];
    }

    private static int FirstLength(string text, int at) => TextRewriter.CharacterLength(text, at);

    private static IEnumerable<string> CharactersOf(string text)
    {
        for (int at = 0; at < text.Length; at += FirstLength(text, at))
            yield return text.Substring(at, FirstLength(text, at));
    }

    private void CutWord(ReadOnlySpan<char> word, int offset, List<(int Id, int Start, int End)> pieces)
    {
        bool cacheable = word.Length <= WordCache.MaximumLength;
        int slot = -1;
        if (cacheable && _cache.Find(word, out slot) is { } cached)
        {
            for (int i = 0; i < cached.Count; i++)
            {
                (int id, int start, int end) = cached[i];
                pieces.Add((id, offset + start, offset + end));
            }
            return;
        }
        int first = pieces.Count;
        MergeWord(word, offset, pieces);
        if (cacheable)
            _cache.Keep(slot, new(word.ToString(), CollectionsMarshal.AsSpan(pieces)[first..], offset));
    }

    private void MergeWord(ReadOnlySpan<char> word, int offset, List<(int Id, int Start, int End)> pieces)
    {
        int[] scratch = ArrayPool<int>.Shared.Rent(2 * word.Length);
        Span<int> ids = scratch.AsSpan(0, word.Length);
        Span<int> lengths = scratch.AsSpan(word.Length, word.Length);
        int count = Symbols(word, ids, lengths);
        count = PairMerger.Merge(_merges, ids[..count], lengths[..count]);
        for (int i = 0; i < count; i++)
        {
            Report(word[..lengths[i]], ids[i], offset, pieces);
            offset += lengths[i];
            word = word[lengths[i]..];
        }
        ArrayPool<int>.Shared.Return(scratch);
    }

    private int Symbols(ReadOnlySpan<char> word, Span<int> ids, Span<int> lengths)
    {
        int count = 0;
        for (int at = 0; at < word.Length; count++)
        {
            int length = 0;
            int id = _userDefined?.Longest(CharacterTrie.Root, word, at, out length) ?? CharacterTrie.NoValue;
            if (id != CharacterTrie.NoValue)
                id |= Frozen;
            else
            {
                length = TextRewriter.CharacterLength(word, at);
                int node = _symbols.Walk(word.Slice(at, length));
                id = node < 0 ? Frozen | _pieceCount : _symbols.ValueOf(node);
            }
            ids[count] = id;
            lengths[count] = length;
            at += length;
        }
        return count;
    }

    private void Report(ReadOnlySpan<char> text, int symbol, int offset, List<(int Id, int Start, int End)> pieces)
    {
        int id = symbol & ~Frozen;
        if (id >= _pieceCount)
            pieces.Add((-1, offset, offset + text.Length));
        else if (_model.Pieces[id].Type == PieceType.Unused && text.Length > FirstLength(_model.Pieces[id].Text, 0))
            TakeApart(text, id, offset, pieces);
        else
            pieces.Add((id, offset, offset + text.Length));
    }

    /// <summary>An unused piece only helps to merge: left over, it falls back into the two parts that it was merged from.</summary>
    private void TakeApart(ReadOnlySpan<char> text, int id, int offset, List<(int Id, int Start, int End)> pieces)
    {
        int[] ids = new int[text.Length];
        int[] lengths = new int[text.Length];
        int count = Symbols(text, ids, lengths);
        count = PairMerger.Merge(TableWithout(id), ids.AsSpan(0, count), lengths.AsSpan(0, count));
        for (int i = 0; i < count; i++)
        {
            Report(text[..lengths[i]], ids[i], offset, pieces);
            offset += lengths[i];
            text = text[lengths[i]..];
        }
    }

    private MergeTable TableWithout(int result)
    {
        MergeTable table = new(_pairs.Count);
        foreach ((int left, int right, int id) in _pairs)
            if (id != result)
                table.Set(left, right, _ranks[id], id);
        return table;
    }
}
