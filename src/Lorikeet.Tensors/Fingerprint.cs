namespace Lorikeet.Tensors;

/// <summary>A number that changes with what is added, and with its order: FNV-1a over words.</summary>
public struct Fingerprint()
{
    /// <summary>Of everything so far.</summary>
    public ulong Value { get; private set; } = 14695981039346656037;

    /// <summary>Adds a word.</summary>
    public void Add(ulong word) => Value = (Value ^ word) * 1099511628211;
}
