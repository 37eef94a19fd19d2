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
