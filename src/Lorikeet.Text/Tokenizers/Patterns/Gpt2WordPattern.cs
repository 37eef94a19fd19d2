namespace Lorikeet.Text;

/// <summary>
/// The words of GPT-2: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, scanned by hand.
/// Every character belongs to a match.
/// </summary>
internal sealed class Gpt2WordPattern : TextPattern
{
    public const string Source = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private const CharacterKind Classes = CharacterKind.Letter | CharacterKind.Number | CharacterKind.Blank;

    public static Gpt2WordPattern Instance { get; } = new();

    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        start = from;
        end = from;
        if (from >= text.Length)
            return false;
        end = EndOfWord(text, from);
        return true;
    }

    private static int EndOfWord(ReadOnlySpan<char> text, int at)
    {
        char first = text[at];
        if (first == '\'' && ContractionLength(text[at..]) is > 0 and int length)
            return at + length;
        int body = first == ' ' && at + 1 < text.Length ? at + 1 : at;
        CharacterKind kind = Characters.KindAt(text, body, out int units) & Classes;
        if (kind != CharacterKind.Blank)
            return EndOfRun(text, body + units, kind);
        return EndOfBlanks(text, at);
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2)
            return 0;
        switch (text[1])
        {
            case 's' or 't' or 'm' or 'd':
                return 2;
            case 'r' or 'v' when text.Length > 2 && text[2] == 'e':
            case 'l' when text.Length > 2 && text[2] == 'l':
                return 3;
            default:
                return 0;
        }
    }

    private static int EndOfRun(ReadOnlySpan<char> text, int at, CharacterKind kind)
    {
        while (at < text.Length && (Characters.KindAt(text, at, out int units) & Classes) == kind)
            at += units;
        return at;
    }

    /// <summary>A run of blanks leaves its last one to the word that follows.</summary>
    internal static int EndOfBlanks(ReadOnlySpan<char> text, int at)
    {
        int end = at + 1;
        while (end < text.Length && Characters.IsBlank(text[end]))
            end++;
        return end == text.Length || end == at + 1 ? end : end - 1;
    }
}
