using System.Buffers.Binary;
using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// SentencePiece's compiled table of character replacements: a double-array trie (as the Darts-clone library lays it out) over UTF-8
/// prefixes, whose values are offsets of zero-terminated replacements. Every step is checked: the table may be broken.
/// </summary>
internal sealed class CharacterMap
{
    private readonly uint[] _units;
    private readonly byte[] _replacements;
    private readonly bool[] _asciiUntouched = new bool[128];

    private CharacterMap(uint[] units, byte[] replacements)
    {
        _units = units;
        _replacements = replacements;
        for (int c = 1; c < 128; c++)
            _asciiUntouched[c] = _units.Length == 0 || Root() < 0 || StepFrom(Root(), (byte)c, out _) < 0;
    }

    /// <summary>Reads a table: the size of the trie in bytes, the trie, the replacements.</summary>
    /// <param name="bytes">The table; may be empty, which replaces nothing.</param>
    /// <param name="problem">Called with what is wrong.</param>
    public static CharacterMap? Read(ReadOnlySpan<byte> bytes, Action<string> problem)
    {
        if (bytes.IsEmpty)
            return null;
        if (bytes.Length < 4)
        {
            problem($"the character map has {bytes.Length} bytes, too few for its header");
            return null;
        }
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (size % 4 != 0 || size > bytes.Length - 4)
        {
            problem($"the character map says that its trie has {size} bytes, but {bytes.Length - 4} follow");
            return null;
        }
        uint[] units = new uint[size / 4];
        for (int i = 0; i < units.Length; i++)
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + 4 * i)..]);
        return new(units, bytes[(4 + (int)size)..].ToArray());
    }

    /// <summary>Whether no replacement begins with an ASCII character.</summary>
    public bool LeavesAlone(char c) => c < 128 && _asciiUntouched[c];

    /// <summary>The replacement of the shortest prefix in the table, or null.</summary>
    public string? Shortest(ReadOnlySpan<byte> text) => Find(text, shortest: true, out _);

    /// <summary>The replacement of the longest prefix in the table, or null.</summary>
    public string? Longest(ReadOnlySpan<byte> text, out int length) => Find(text, shortest: false, out length);

    private string? Find(ReadOnlySpan<byte> text, bool shortest, out int length)
    {
        length = 0;
        int value = -1;
        int node = Root();
        for (int i = 0; i < text.Length && node >= 0 && text[i] != 0; i++)
        {
            node = StepFrom(node, text[i], out int leaf);
            if (leaf < 0)
                continue;
            value = leaf;
            length = i + 1;
            if (shortest)
                break;
        }
        if (value < 0 || value >= _replacements.Length)
            return null;
        ReadOnlySpan<byte> replacement = _replacements.AsSpan(value);
        int end = replacement.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? replacement : replacement[..end]);
    }

    private int Root() => _units.Length == 0 ? -1 : Checked(OffsetOf(_units[0]));

    /// <summary>Follows a byte from a node; a leaf of -1 says that nothing ends there, a node of -1 that nothing goes on.</summary>
    private int StepFrom(int node, byte label, out int leaf)
    {
        leaf = -1;
        int at = Checked((uint)node ^ label);
        if (at < 0)
            return -1;
        uint unit = _units[at];
        if ((unit & 0x800000FF) != label)
            return -1;
        int next = Checked((uint)at ^ OffsetOf(unit));
        if (next >= 0 && (unit & 0x100) != 0)
            leaf = (int)(_units[next] & 0x7FFFFFFF);
        return next;
    }

    private static uint OffsetOf(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);

    private int Checked(uint index) => index < (uint)_units.Length ? (int)index : -1;
}
