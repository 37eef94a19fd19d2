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

    /// <summary>
    /// The first character at or after a place that a normalisation form may change, or that may change one beside it; the text's length
    /// if there is none.
    /// </summary>
    public int NextTouched(ReadOnlySpan<char> text, int from, bool compose, bool compatible)
    {
        byte form = Flag(compose, compatible);
        for (int i = from; i < text.Length; i++)
        {
            if ((_touched[text[i]] & form) == 0)
                continue;
            if (!char.IsSurrogate(text[i]) || IsTouched(text, i, form, out int units))
                return i;
            i += units - 1;
        }
        return text.Length;
    }

    /// <summary>The first character at or after a place that stays as it is and lets the text before it be treated by itself.</summary>
    public int NextUntouched(ReadOnlySpan<char> text, int from, bool compose, bool compatible)
    {
        byte form = Flag(compose, compatible);
        int at = from;
        while (at < text.Length && IsTouched(text, at, form, out int units))
            at += units;
        return at;
    }

    private static byte Flag(bool compose, bool compatible) => (byte)(1 << ((compose ? 2 : 0) + (compatible ? 1 : 0)));

    private bool IsTouched(ReadOnlySpan<char> text, int index, byte form, out int units)
    {
        units = 1;
        if (!char.IsSurrogate(text[index]))
            return (_touched[text[index]] & form) != 0;
        bool valid = Rune.DecodeFromUtf16(text[index..], out Rune rune, out units) == System.Buffers.OperationStatus.Done;
        // half a surrogate pair is rewritten as U+FFFD
        return !valid || (_touchedBeyond.GetValueOrDefault(rune.Value) & form) != 0;
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
