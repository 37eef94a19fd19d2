namespace Lorikeet.Text;

/// <summary>Python's tuple. <c>groupby</c> makes pairs whose items have names as well.</summary>
internal sealed class PythonTuple(object?[] items, string[]? fields = null) : PythonSequence(items)
{
    public static readonly PythonTuple Empty = new([]);

    private int? _hash;

    public string[]? Fields { get; } = fields;

    /// <summary>Kept once computed: tuples can share parts, and hashing them over and over could take for ever.</summary>
    public override int GetHashCode()
    {
        if (_hash is not int hash)
        {
            HashCode code = default;
            foreach (object? item in Items)
                code.Add(PythonEquality.Hash(item));
            _hash = hash = code.ToHashCode();
        }
        return hash;
    }

    public override bool Equals(object? obj) => PythonEquality.AreEqual(this, obj);
}
