namespace Lorikeet.Text;

/// <summary>Gathers tokens and their numbers from a file and checks that they fit together.</summary>
internal sealed class VocabularyBuilder(int capacity)
{
    private readonly Dictionary<string, int> _ids = new(Math.Min(capacity, 1 << 20), StringComparer.Ordinal);
    private int _highest = -1;

    /// <summary>Adds a token; of equal tokens the last number counts.</summary>
    public void Add(string token, int id)
    {
        _ids[token] = id;
        _highest = Math.Max(_highest, id);
    }

    /// <summary>Number of tokens.</summary>
    public int Count => _ids.Count;

    /// <summary>Adds what is wrong with the tokens as a whole; false where they must not be put in place.</summary>
    public bool Check(ProblemList problems, string path)
    {
        // a table is made as long as the highest number: a few tokens must not ask for a huge one
        bool dense = _highest <= 16L * _ids.Count + 65_536;
        if (!dense)
            problems.Add($"{path}: {_ids.Count} tokens with numbers up to {_highest} leave too many numbers without a token");
        foreach (string token in _ids.Keys)
            if (token.Length > Limits.LongestToken)
                problems.Add($"{path}: the token \"{token.AsSpan(0, 40)}...\" has {token.Length} characters; at most {Limits.LongestToken} are read");
        return dense;
    }

    /// <summary>Puts the tokens in place, leaving room for at least a number of them.</summary>
    public Vocabulary Build(int size = 0)
    {
        string?[] tokens = new string?[Math.Max(_highest + 1, size)];
        foreach ((string token, int id) in _ids)
            tokens[id] = token;
        return new(tokens, _ids);
    }

    /// <summary>Puts the tokens in place, spelled as in a list of their own: several numbers may share a spelling.</summary>
    public Vocabulary Build(string?[] tokens) => new(tokens, _ids);
}
