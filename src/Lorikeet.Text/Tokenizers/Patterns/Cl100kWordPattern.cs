namespace Lorikeet.Text;

/// <summary>
/// The words of the cl100k family, scanned by hand:
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// Llama 3 takes up to three digits, Qwen 2 one. Every character belongs to a match.
/// </summary>
internal sealed class Cl100kWordPattern(int digits) : TextPattern
{
    private const CharacterKind Classes = CharacterKind.Letter | CharacterKind.Number | CharacterKind.Blank;
    private const char LongS = '\u017F';

    /// <summary>The pattern as tokenizer files spell it for a number of digits, in its two spellings.</summary>
    public static string[] SourcesFor(int digits)
    {
        string number = digits == 1 ? @"\p{N}" : $@"\p{{N}}{{1,{digits}}}";
        string rest = $@"|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{number}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        return
        [
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)" + rest,
            "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])" + rest,
        ];
    }

    /// <summary>True where the contractions fold case (the long s counts as an s) instead of naming both cases.</summary>
    public bool Folds { get; init; } = true;

    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        start = from;
        end = from;
        if (from >= text.Length)
            return false;
        end = EndOfWord(text, from);
        return true;
    }

    private int EndOfWord(ReadOnlySpan<char> text, int at)
    {
        char first = text[at];
        if (first == '\'' && ContractionLength(text[at..]) is > 0 and int length)
            return at + length;

        CharacterKind kind = Characters.KindAt(text, at, out int units) & Classes;
        int next = at + units;
        if (kind == CharacterKind.Letter)
            return EndOfRun(text, next, CharacterKind.Letter);
        if (kind == CharacterKind.Number)
            return EndOfNumber(text, next);
        CharacterKind following = next < text.Length ? Characters.KindAt(text, next, out int followingUnits) & Classes : Blank(out followingUnits);
        if (following == CharacterKind.Letter && first is not ('\r' or '\n'))
            return EndOfRun(text, next + followingUnits, CharacterKind.Letter);
        if (kind == CharacterKind.Other)
            return EndOfLineBreaks(text, EndOfRun(text, next, CharacterKind.Other));
        if (first == ' ' && following == CharacterKind.Other)
            return EndOfLineBreaks(text, EndOfRun(text, next + followingUnits, CharacterKind.Other));
        return EndOfBlanks(text, at);
    }

    private static CharacterKind Blank(out int units)
    {
        units = 0;
        return CharacterKind.Blank;
    }

    private int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2)
            return 0;
        char second = (char)(text[1] | 0x20);
        if (text[1] < 0x80 && second is 's' or 't' or 'm' or 'd' || Folds && text[1] == LongS)
            return 2;
        if (text.Length < 3 || text[1] >= 0x80 || text[2] >= 0x80)
            return 0;
        char third = (char)(text[2] | 0x20);
        return second is 'r' or 'v' && third == 'e' || second == 'l' && third == 'l' ? 3 : 0;
    }

    private int EndOfNumber(ReadOnlySpan<char> text, int at)
    {
        for (int taken = 1; taken < digits && at < text.Length; taken++)
        {
            if ((Characters.KindAt(text, at, out int units) & CharacterKind.Number) == 0)
                break;
            at += units;
        }
        return at;
    }

    private static int EndOfRun(ReadOnlySpan<char> text, int at, CharacterKind kind)
    {
        while (at < text.Length && (Characters.KindAt(text, at, out int units) & Classes) == kind)
            at += units;
        return at;
    }

    private static int EndOfLineBreaks(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '\r' or '\n')
            at++;
        return at;
    }

    /// <summary>Up to the last line break of the run of blanks, or else all but the last blank where a word follows.</summary>
    private static int EndOfBlanks(ReadOnlySpan<char> text, int at)
    {
        int end = at;
        int afterBreak = -1;
        while (end < text.Length && Characters.IsBlank(text[end]))
        {
            if (text[end] is '\r' or '\n')
                afterBreak = end + 1;
            end++;
        }
        if (afterBreak >= 0)
            return afterBreak;
        return end == text.Length || end == at + 1 ? end : end - 1;
    }
}
