using System.Text;

namespace Lorikeet.Text;

/// <summary>Encodes as the SentencePiece library does, including its offsets.</summary>
internal sealed class SentencePieceEncoder : SectionEncoder
{
    /// <summary>A longer list is not kept for the next text.</summary>
    private const int LargestKept = 1 << 19;

    [ThreadStatic]
    private static List<(int Id, int Start, int End)>? s_pieces;

    private readonly SentencePieceModel _model;
    private readonly SentencePieceNormalizer _normalizer;
    private readonly SentencePieceMerges? _merges;
    private readonly UnigramLattice? _lattice;
    private readonly int[] _ids;
    private readonly int[] _byteIds = new int[256];

    /// <summary>Prepares a model.</summary>
    public SentencePieceEncoder(SentencePieceModel model)
    {
        _model = model;
        CharacterTrie? userDefined = UserDefined(model.Pieces);
        _normalizer = new(model, userDefined);
        if (model.IsUnigram)
            _lattice = Lattice(model);
        else
            _merges = new(model, userDefined);
        Vocabulary = MakeVocabulary(model.Pieces);
        // of equal spellings the reserved one counts, as in SentencePiece
        _ids = [.. model.Pieces.Select(p => Vocabulary.IdOf(p.Text))];
        for (int value = 0; value < 256; value++)
            _byteIds[value] = Vocabulary.IdOf($"<0x{value:X2}>");
    }

    public override Vocabulary Vocabulary { get; }

    public override void Encode(string text, int start, int end, TokenBuffer tokens)
    {
        using NormalizedText normalized = new(end - start);
        _normalizer.Apply(text, start, end, normalized);
        if (normalized.Length == 0)
            return;
        ReadOnlySpan<char> all = normalized.Text;
        ReadOnlySpan<int> origins = normalized.Origins;
        List<(int Id, int Start, int End)> pieces = s_pieces ?? [];
        s_pieces = null;
        pieces.Clear();
        if (_lattice is not null)
            _lattice.Cut(all, pieces);
        else
            _merges!.Cut(all, pieces);

        bool afterUnknown = false;
        foreach ((int piece, int from, int to) in pieces)
        {
            int id = piece < 0 ? IdOfLoneCharacter(all[from..to]) : _ids[piece];
            bool unknown = id == _model.UnknownId;
            if (unknown && _model.ByteFallback)
                AddBytes(all[from..to], origins[from], origins[to], tokens);
            else if (unknown && afterUnknown)
            {
                string run = tokens.LastText + all[from..to].ToString();
                tokens.ExtendLast(origins[to]);
                tokens.SetText(run);
            }
            else
            {
                tokens.Add(id, origins[from], origins[to]);
                if (unknown)
                    tokens.SetText(all[from..to].ToString());
            }
            afterUnknown = unknown;
        }
        if (pieces.Capacity <= LargestKept)
            s_pieces = pieces;
    }

    private int IdOfLoneCharacter(ReadOnlySpan<char> character)
    {
        int id = Vocabulary.IdOf(character);
        return id < 0 ? _model.UnknownId : id;
    }

    /// <summary>Only the last byte has the extent of the character.</summary>
    private void AddBytes(ReadOnlySpan<char> text, int start, int end, TokenBuffer tokens)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            int count = rune.EncodeToUtf8(utf8);
            for (int i = 0; i < count; i++)
                tokens.Add(_byteIds[utf8[i]], start, i == count - 1 ? end : start);
        }
    }

    private static CharacterTrie? UserDefined(SentencePiece[] pieces)
    {
        CharacterTrie? trie = null;
        for (int id = 0; id < pieces.Length; id++)
            if (pieces[id].Type == PieceType.UserDefined && pieces[id].Text.Length > 0)
                (trie ??= new()).Add(pieces[id].Text, id);
        return trie;
    }

    private static UnigramLattice Lattice(SentencePieceModel model)
    {
        CharacterTrie trie = new(4 * model.Pieces.Length);
        double[] scores = new double[model.Pieces.Length];
        float least = float.MaxValue;
        // the smallest positive number, not the most negative: so SentencePiece begins its search for the greatest score
        float greatest = 1.17549435e-38f;
        for (int id = 0; id < model.Pieces.Length; id++)
        {
            (string text, float score, PieceType type) = model.Pieces[id];
            scores[id] = type == PieceType.UserDefined ? double.NaN : score;
            if (type is PieceType.Normal or PieceType.UserDefined && text.Length > 0)
                trie.Add(text, id);
            if (type == PieceType.Normal)
            {
                least = Math.Min(least, score);
                greatest = Math.Max(greatest, score);
            }
        }
        return new(trie, scores, greatest, (float)(least - UnigramLattice.UnknownPenalty), model.UnknownId, singlePrecision: true);
    }

    private static Vocabulary MakeVocabulary(SentencePiece[] pieces)
    {
        VocabularyBuilder builder = new(pieces.Length);
        foreach (bool reserved in (bool[])[false, true])
            for (int id = 0; id < pieces.Length; id++)
                if (IsReserved(pieces[id].Type) == reserved)
                    builder.Add(pieces[id].Text, id);
        return builder.Build([.. pieces.Select(p => p.Text)]);
    }

    private static bool IsReserved(PieceType type) => type is PieceType.Unknown or PieceType.Control or PieceType.Byte;
}
