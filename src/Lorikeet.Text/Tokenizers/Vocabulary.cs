namespace Lorikeet.Text;

/// <summary>Tokens by number and numbers by token.</summary>
internal sealed class Vocabulary
{
    private readonly string?[] _tokens;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>Wraps a map and a table that agree; the table may have holes.</summary>
    public Vocabulary(string?[] tokens, Dictionary<string, int> ids)
    {
        _tokens = tokens;
        _ids = ids;
        _lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Highest number plus one.</summary>
    public int Size => _tokens.Length;

    /// <summary>All tokens with their numbers.</summary>
    public IReadOnlyDictionary<string, int> Ids => _ids;

    /// <summary>The number of a token, or -1.</summary>
    public int IdOf(ReadOnlySpan<char> token) => _lookup.TryGetValue(token, out int id) ? id : -1;

    /// <summary>The token with a number, or null.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;
}
