using System.Buffers;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Finds added tokens in a text: the leftmost first, of those that begin together the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly CharacterTrie _trie = new();
    private readonly List<AddedToken> _tokens = [];
    private readonly SearchValues<char> _firstCharacters;

    /// <summary>Prepares to look for tokens.</summary>
    /// <param name="tokens">The tokens and the text that each is looked for by.</param>
    public AddedTokenMatcher(IEnumerable<(AddedToken Token, string Pattern)> tokens)
    {
        HashSet<char> first = [];
        foreach ((AddedToken token, string pattern) in tokens)
        {
            if (pattern.Length == 0)
                continue;
            first.Add(pattern[0]);
            _trie.Add(pattern, _tokens.Count);
            _tokens.Add(token);
        }
        _firstCharacters = SearchValues.Create(first.ToArray());
        IsEmpty = first.Count == 0;
    }

    /// <summary>True where there is nothing to find.</summary>
    public bool IsEmpty { get; }

    /// <summary>Cuts [start, end) of a text into stretches with and without an added token; no stretch is empty.</summary>
    public void Split(ReadOnlySpan<char> text, int start, int end, List<(int Start, int End, AddedToken? Token)> stretches)
    {
        int done = start;
        int from = start;
        while (!IsEmpty && Find(text[..end], from, out int matchStart, out int matchEnd) is { } token)
        {
            from = matchEnd;
            if (token.SingleWord && (EndsWithWord(text[start..matchStart]) || BeginsWithWord(text[matchEnd..end])))
                continue;
            if (token.StripLeft)
                while (matchStart > start && Characters.IsBlank(text[matchStart - 1]))
                    matchStart--;
            if (token.StripRight)
                while (matchEnd < end && Characters.IsBlank(text[matchEnd]))
                    matchEnd++;
            matchStart = Math.Max(matchStart, done);
            if (matchEnd <= matchStart)
                continue;
            if (done < matchStart)
                stretches.Add((done, matchStart, null));
            stretches.Add((matchStart, matchEnd, token));
            done = matchEnd;
        }
        if (done < end)
            stretches.Add((done, end, null));
    }

    private AddedToken? Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (start = from; start < text.Length; start++)
        {
            int skip = text[start..].IndexOfAny(_firstCharacters);
            if (skip < 0)
                break;
            start += skip;
            int found = _trie.Longest(CharacterTrie.Root, text, start, out int length);
            end = start + length;
            if (found != CharacterTrie.NoValue)
                return _tokens[found];
        }
        end = start;
        return null;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && Characters.IsWord(rune);

    private static bool BeginsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && Characters.IsWord(rune);
}
