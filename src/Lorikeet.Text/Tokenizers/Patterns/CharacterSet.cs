using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>A set of characters by code point: ranges, general categories, scripts and other sets, joined, intersected or turned around.</summary>
internal sealed class CharacterSet
{
    private readonly List<(int First, int Last)> _ranges = [];
    private readonly List<CharacterSet> _parts = [];
    private readonly List<CharacterSet> _intersections = [];
    private readonly HashSet<int> _scripts = [];
    private uint _categories;
    private bool _negated;
    private bool _ignoreCase;
    private Func<Rune, bool>? _test;
    private bool[]? _ascii;

    /// <summary>All characters.</summary>
    public static CharacterSet Any() => new CharacterSet().AddRange(0, 0x10FFFF);

    /// <summary>A set by a test of its own.</summary>
    public static CharacterSet Where(Func<Rune, bool> test) => new() { _test = test };

    /// <summary>One character.</summary>
    public static CharacterSet Of(int character) => new CharacterSet().AddRange(character, character);

    /// <summary>Adds the characters from one to another.</summary>
    public CharacterSet AddRange(int first, int last)
    {
        _ranges.Add((first, last));
        return this;
    }

    /// <summary>Adds the characters of general categories.</summary>
    public CharacterSet AddCategories(params ReadOnlySpan<UnicodeCategory> categories)
    {
        foreach (UnicodeCategory category in categories)
            _categories |= 1u << (int)category;
        return this;
    }

    /// <summary>Adds the characters of a script.</summary>
    public CharacterSet AddScript(int script)
    {
        _scripts.Add(script);
        return this;
    }

    /// <summary>Adds another set.</summary>
    public CharacterSet Add(CharacterSet set)
    {
        _parts.Add(set);
        return this;
    }

    /// <summary>Keeps only what is in another set too.</summary>
    public CharacterSet Intersect(CharacterSet set)
    {
        _intersections.Add(set);
        return this;
    }

    /// <summary>Turns the set around.</summary>
    public CharacterSet Negate()
    {
        _negated = !_negated;
        return this;
    }

    /// <summary>Lets a character stand for all that fold to the same one.</summary>
    public CharacterSet IgnoreCase()
    {
        _ignoreCase = true;
        return this;
    }

    /// <summary>Whether a character belongs to the set.</summary>
    public bool Contains(int character)
    {
        if (character >= 128)
            return Test(character);
        bool[] ascii = _ascii ?? MakeAscii();
        return ascii[character];
    }

    private bool[] MakeAscii()
    {
        bool[] ascii = new bool[128];
        for (int c = 0; c < 128; c++)
            ascii[c] = Test(c);
        return _ascii = ascii;
    }

    private bool Test(int character)
    {
        bool found = Finds(character);
        if (!found && _ignoreCase)
        {
            int folded = Characters.Fold(character);
            found = Finds(folded) || Finds(Rune.ToUpperInvariant(new Rune(folded)).Value) || (folded == 's' && Finds(0x17F)) || (folded == 'k' && Finds(0x212A));
        }
        foreach (CharacterSet other in _intersections)
            found = found && other.Contains(character);
        return found != _negated;
    }

    private bool Finds(int character)
    {
        foreach ((int first, int last) in _ranges)
            if (character >= first && character <= last)
                return true;
        Rune rune = new(character);
        if (_categories != 0 && (_categories & (1u << (int)Rune.GetUnicodeCategory(rune))) != 0)
            return true;
        if (_test is not null && _test(rune))
            return true;
        if (_scripts.Count > 0 && _scripts.Contains(Scripts.Of(character)))
            return true;
        foreach (CharacterSet part in _parts)
            if (part.Contains(character))
                return true;
        return false;
    }
}
