using System.Runtime.InteropServices;
using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Unigram</c> as in <c>tokenizer.json</c>: the most probable cut, runs of unknown characters as one token.</summary>
internal sealed class UnigramModel : TokenModel
{
    private readonly UnigramLattice _lattice;
    private readonly int _unknownId;
    private readonly int[] _fallbackTokens = new int[256];
    private readonly bool _byteFallback;
    private readonly WordCache _cache = new();

    /// <summary>Builds the model from its pieces in the order of their numbers.</summary>
    public UnigramModel(Vocabulary vocabulary, double[] scores, int unknownId, bool byteFallback)
        : base(vocabulary)
    {
        CharacterTrie pieces = new(4 * scores.Length);
        foreach ((string token, int id) in vocabulary.Ids)
            if (token.Length > 0)
                pieces.Add(token, id);
        double least = scores.Length == 0 ? 0 : scores.Min();
        _lattice = new(pieces, scores, 0, least - UnigramLattice.UnknownPenalty, -1, singlePrecision: false);
        _unknownId = unknownId;
        _byteFallback = byteFallback;
        for (int value = 0; value < 256; value++)
            _fallbackTokens[value] = vocabulary.IdOf($"<0x{value:X2}>");
    }

    public override void Encode(ReadOnlySpan<char> piece, TokenBuffer tokens)
    {
        bool cacheable = piece.Length <= WordCache.MaximumLength;
        int slot = -1;
        CachedWord? cached = cacheable ? _cache.Find(piece, out slot) : null;
        if (cached is null)
        {
            List<(int Id, int Start, int End)> cut = [];
            _lattice.Cut(piece, cut);
            cached = Known(piece, cut);
            if (cacheable)
                _cache.Keep(slot, cached);
        }
        for (int i = 0; i < cached.Count; i++)
        {
            (int id, int start, int end) = cached[i];
            tokens.AddInPiece(id, start, end);
            if (id == _unknownId && !piece[start..end].SequenceEqual(Vocabulary.TokenOf(_unknownId)))
                tokens.SetText(piece[start..end].ToString());
        }
    }

    /// <summary>Fuses runs of unknown characters, then spells them by bytes or names them unknown.</summary>
    private CachedWord Known(ReadOnlySpan<char> piece, List<(int Id, int Start, int End)> cut)
    {
        List<(int Id, int Start, int End)> tokens = [];
        for (int i = 0; i < cut.Count; i++)
        {
            (int id, int start, int end) = cut[i];
            if (id != _unknownId && id >= 0)
            {
                tokens.Add(cut[i]);
                continue;
            }
            while (i + 1 < cut.Count && (cut[i + 1].Id == _unknownId || cut[i + 1].Id < 0))
                end = cut[++i].End;
            int known = Vocabulary.IdOf(piece[start..end]);
            if (known >= 0)
                tokens.Add((known, start, end));
            else if (!_byteFallback || !AddBytes(piece, start, end, tokens))
                tokens.Add((_unknownId, start, end));
        }
        if (_unknownId < 0 && tokens.Exists(t => t.Id < 0))
            throw new TokenizerException("model.unk_id", $"the text \"{piece}\" holds characters that no token covers, and the model names no unknown token");
        return new(piece.ToString(), CollectionsMarshal.AsSpan(tokens), 0);
    }

    private bool AddBytes(ReadOnlySpan<char> piece, int start, int end, List<(int Id, int Start, int End)> tokens)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(piece[start..end])];
        Encoding.UTF8.GetBytes(piece[start..end], bytes);
        if (bytes.Any(b => _fallbackTokens[b] < 0))
            return false;
        tokens.AddRange(bytes.Select(b => (_fallbackTokens[b], start, end)));
        return true;
    }
}
