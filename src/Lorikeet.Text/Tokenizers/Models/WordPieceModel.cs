using System.Runtime.InteropServices;

namespace Lorikeet.Text;

/// <summary>
/// <c>WordPiece</c> (Devlin et al. 2018, arXiv:1810.04805): the longest token that a word begins with, then the longest with the prefix for
/// continued words, and so on; a word that cannot be covered so is unknown as a whole.
/// </summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly CharacterTrie _trie;
    private readonly int _continued;
    private readonly int _unknownId;
    private readonly int _longestWord;
    private readonly WordCache _cache = new();

    /// <summary>Builds the model.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="unknownId">The token for words that cannot be covered.</param>
    /// <param name="prefix">What continued parts begin with, <c>##</c> for BERT.</param>
    /// <param name="longestWord">Words of more characters are unknown.</param>
    public WordPieceModel(Vocabulary vocabulary, int unknownId, string prefix, int longestWord)
        : base(vocabulary)
    {
        _trie = new(4 * vocabulary.Size);
        foreach ((string token, int id) in vocabulary.Ids)
            if (token.Length > 0)
                _trie.Add(token, id);
        _continued = _trie.Walk(prefix);
        _unknownId = unknownId;
        _longestWord = longestWord;
    }

    public override void Encode(ReadOnlySpan<char> piece, TokenBuffer tokens)
    {
        bool cacheable = piece.Length <= WordCache.MaximumLength;
        int slot = -1;
        CachedWord? cached = cacheable ? _cache.Find(piece, out slot) : null;
        if (cached is null)
        {
            List<(int Id, int Start, int End)> parts = Cut(piece);
            cached = new(piece.ToString(), CollectionsMarshal.AsSpan(parts), 0);
            if (cacheable)
                _cache.Keep(slot, cached);
        }
        for (int i = 0; i < cached.Count; i++)
        {
            (int id, int start, int end) = cached[i];
            tokens.AddInPiece(id, start, end);
        }
    }

    private List<(int Id, int Start, int End)> Cut(ReadOnlySpan<char> word)
    {
        List<(int Id, int Start, int End)> parts = [];
        int characters = 0;
        for (int at = 0; at < word.Length; at += TextRewriter.CharacterLength(word, at))
            characters++;
        for (int start = 0; characters <= _longestWord && start < word.Length;)
        {
            int node = start == 0 ? CharacterTrie.Root : _continued;
            int length = 0;
            int id = node < 0 ? CharacterTrie.NoValue : _trie.Longest(node, word, start, out length);
            if (id == CharacterTrie.NoValue)
                break;
            parts.Add((id, start, start + length));
            start += length;
        }
        if (parts.Count == 0 || parts[^1].End != word.Length)
            parts = [(_unknownId, 0, word.Length)];
        return parts;
    }
}
