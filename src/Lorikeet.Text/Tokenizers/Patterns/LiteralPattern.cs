namespace Lorikeet.Text;

/// <summary>A fixed string; the empty one is found nowhere.</summary>
internal sealed class LiteralPattern(string literal) : TextPattern
{
    public string Literal { get; } = literal;

    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        int at = Literal.Length == 0 ? -1 : text[from..].IndexOf(Literal, StringComparison.Ordinal);
        start = from + at;
        end = start + Literal.Length;
        return at >= 0;
    }
}
