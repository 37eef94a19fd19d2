namespace Lorikeet.Text;

/// <summary>Something that can be looked for in a text.</summary>
internal abstract class TextPattern
{
    /// <summary>Finds the first match at or after <paramref name="from"/>; a match may be empty.</summary>
    public abstract bool Find(ReadOnlySpan<char> text, int from, out int start, out int end);
}
