namespace Lorikeet.Formats;

/// <summary>
/// Orders strings by Unicode code point, as Python and Rust do. UTF-16 order differs only where characters beyond U+FFFF meet those of U+E000 – U+FFFF.
/// </summary>
internal sealed class CodePointOrder : IComparer<string>
{
    /// <summary>The order.</summary>
    public static CodePointOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        int common = x.AsSpan().CommonPrefixLength(y);
        if (common == x.Length || common == y.Length)
            return x.Length - y.Length;
        char a = x[common], b = y[common];
        bool surrogate = char.IsSurrogate(a);
        return surrogate == char.IsSurrogate(b) ? a - b : surrogate ? 1 : -1;
    }
}
