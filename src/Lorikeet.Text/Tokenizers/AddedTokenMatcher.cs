using System.Buffers;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Finds added tokens in a text: the leftmost first, of those that begin together the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _ends = [null];
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
            int node = 0;
            foreach (char c in pattern)
            {
                if (!_edges.TryGetValue((node, c), out int child))
                {
                    child = _ends.Count;
                    _ends.Add(null);
                    _edges.Add((node, c), child);
                }
                node = child;
            }
            _ends[node] = token;
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
            AddedToken? found = null;
            int node = 0;
            end = start;
            for (int at = start; at < text.Length && _edges.TryGetValue((node, text[at]), out node); at++)
            {
                if (_ends[node] is not { } token)
                    continue;
                found = token;
                end = at + 1;
            }
            if (found is not null)
                return found;
        }
        end = start;
        return null;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && Characters.IsWord(rune);

    private static bool BeginsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && Characters.IsWord(rune);
}
