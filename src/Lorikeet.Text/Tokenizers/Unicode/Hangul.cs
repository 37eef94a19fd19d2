namespace Lorikeet.Text;

/// <summary>Hangul syllables, whose decompositions are computed (Unicode Standard, section 3.12).</summary>
internal static class Hangul
{
    public const int FirstSyllable = 0xAC00;
    public const int LastSyllable = FirstSyllable + Leads * Vowels * Trails - 1;
    public const int FirstVowel = 0x1161;
    public const int LastTrail = FirstTrail + Trails - 1;

    private const int FirstLead = 0x1100;
    private const int FirstTrail = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Trails = 28;

    /// <summary>Whether a character is a syllable.</summary>
    public static bool IsSyllable(int character) => character is >= FirstSyllable and <= LastSyllable;

    /// <summary>The two or three letters of a syllable; a third of 0 is none.</summary>
    public static (int Lead, int Vowel, int Trail) Decompose(int syllable)
    {
        int index = syllable - FirstSyllable;
        int trail = index % Trails;
        return (FirstLead + index / (Vowels * Trails), FirstVowel + index % (Vowels * Trails) / Trails, trail == 0 ? 0 : FirstTrail + trail);
    }

    /// <summary>The syllable that a lead and a vowel, or a syllable and a trail, form; or -1.</summary>
    public static int Compose(int first, int second)
    {
        if (first is >= FirstLead and < FirstLead + Leads && second is >= FirstVowel and < FirstVowel + Vowels)
            return FirstSyllable + ((first - FirstLead) * Vowels + second - FirstVowel) * Trails;
        if (IsSyllable(first) && (first - FirstSyllable) % Trails == 0 && second is > FirstTrail and <= LastTrail)
            return first + second - FirstTrail;
        return -1;
    }
}
