using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// Decompositions, compositions and combining classes (Unicode Standard Annex 15). The runtime's own normalisation does nothing
/// where globalization is invariant, and it keeps no alignment, so the tables are carried along.
/// </summary>
internal sealed class NormalizationTables
{
    private static readonly Lazy<NormalizationTables> Loaded = new(() => new NormalizationTables());

    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];
    private readonly byte[] _touched = new byte[0x10000];
    private readonly Dictionary<int, byte> _touchedBeyond = [];

    private NormalizationTables()
    {
        Dictionary<int, int[]> canonical = [];
        Dictionary<int, int[]> compatible = [];
        foreach (string[] fields in UnicodeResource.Lines("normalization.txt"))
        {
            int first = UnicodeResource.CodePoint(fields[1]);
            if (fields[0] == "M")
            {
                byte combiningClass = byte.Parse(fields[3], CultureInfo.InvariantCulture);
                for (int c = first; c <= UnicodeResource.CodePoint(fields[2]); c++)
                    _classes[c] = combiningClass;
                continue;
            }
            int[] decomposition = [.. fields.Skip(2).Select(UnicodeResource.CodePoint)];
            (fields[0] == "K" ? compatible : canonical)[first] = decomposition;
            if (fields[0] == "C")
                _compositions[(decomposition[0], decomposition[1])] = first;
        }
        foreach (int c in canonical.Keys)
            _canonical[c] = Expand(c, canonical, null);
        foreach (int c in canonical.Keys.Concat(compatible.Keys))
            _compatible[c] = Expand(c, canonical, compatible);
        MarkTouched(canonical, compatible);
    }

    public static NormalizationTables Instance => Loaded.Value;

    /// <summary>The full decomposition of a character other than a Hangul syllable, or null.</summary>
    public int[]? Decompose(int character, bool compatible) =>
        (compatible ? _compatible : _canonical).TryGetValue(character, out int[]? decomposition) ? decomposition : null;

    /// <summary>Canonical combining class; 0 for characters that begin a sequence.</summary>
    public byte ClassOf(int character) => character < 0x300 ? (byte)0 : _classes.GetValueOrDefault(character);

    /// <summary>The character that two compose to, or -1.</summary>
    public int Compose(int first, int second)
    {
        int syllable = Hangul.Compose(first, second);
        return syllable >= 0 ? syllable : _compositions.GetValueOrDefault((first, second), -1);
    }

    /// <summary>Whether a text may change under a normalisation form; false only if it surely does not.</summary>
    public bool MayChange(ReadOnlySpan<char> text, bool compose, bool compatible)
    {
        byte form = Flag(compose, compatible);
        foreach (char c in text)
            if ((_touched[c] & form) != 0 && (!char.IsSurrogate(c) || MayChangeBeyond(text, form)))
                return true;
        return false;
    }

    private static byte Flag(bool compose, bool compatible) => (byte)(1 << ((compose ? 2 : 0) + (compatible ? 1 : 0)));

    private bool MayChangeBeyond(ReadOnlySpan<char> text, byte form)
    {
        foreach (Rune rune in text.EnumerateRunes())
            if (rune.IsBmp ? (_touched[rune.Value] & form) != 0 : (_touchedBeyond.GetValueOrDefault(rune.Value) & form) != 0)
                return true;
        return false;
    }

    private void MarkTouched(Dictionary<int, int[]> canonical, Dictionary<int, int[]> compatible)
    {
        const byte All = 15;
        byte canonicalDecomposed = (byte)(Flag(false, false) | Flag(false, true));
        byte compatibleForms = (byte)(Flag(false, true) | Flag(true, true));
        foreach (int c in _classes.Keys)
            Mark(c, All);
        foreach ((int c, int[] decomposition) in canonical)
        {
            bool composes = decomposition.Length == 2 && _compositions.GetValueOrDefault((decomposition[0], decomposition[1])) == c;
            Mark(c, composes ? canonicalDecomposed : All);
        }
        foreach (int c in compatible.Keys)
            Mark(c, compatibleForms);
        // a composed character whose parts decompose further by compatibility changes too
        foreach (int c in canonical.Keys.Where(c => !_canonical[c].AsSpan().SequenceEqual(_compatible[c])))
            Mark(c, compatibleForms);
        foreach ((_, int second) in _compositions.Keys)
            Mark(second, All);
        for (int c = Hangul.FirstSyllable; c <= Hangul.LastSyllable; c++)
            Mark(c, canonicalDecomposed);
        for (int c = Hangul.FirstVowel; c <= Hangul.LastTrail; c++)
            Mark(c, All);
        for (int c = 0xD800; c <= 0xDFFF; c++)
            Mark(c, All);
    }

    private void Mark(int character, byte forms)
    {
        if (character < 0x10000)
            _touched[character] |= forms;
        else
            _touchedBeyond[character] = (byte)(_touchedBeyond.GetValueOrDefault(character) | forms);
    }

    private static int[] Expand(int character, Dictionary<int, int[]> canonical, Dictionary<int, int[]>? compatible)
    {
        List<int> parts = [];
        Append(character);
        return [.. parts];

        void Append(int c)
        {
            if (canonical.TryGetValue(c, out int[]? decomposition) || compatible?.TryGetValue(c, out decomposition) == true)
            {
                foreach (int part in decomposition!)
                    Append(part);
            }
            else
                parts.Add(c);
        }
    }
}
