using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lorikeet.Text;

/// <summary>Strings sorted into a tree by their UTF-16 units, to find all that a text begins with. Its edges lie in one hash table.</summary>
internal sealed class CharacterTrie
{
    /// <summary>The node where every walk begins.</summary>
    public const int Root = 0;

    /// <summary>What <see cref="ValueOf"/> answers for a node that ends no string.</summary>
    public const int NoValue = -1;

    private const ulong Empty = ulong.MaxValue;
    private ulong[] _keys;
    private int[] _children;
    private int[] _values = new int[64];
    private int _shift;
    private int _nodes = 1;

    /// <summary>Makes room for about that many edges.</summary>
    public CharacterTrie(int capacity = 64)
    {
        int bits = Math.Max(6, BitOperations.Log2((uint)capacity) + 2);
        _keys = new ulong[1 << bits];
        _children = new int[1 << bits];
        _shift = 64 - bits;
        Array.Fill(_keys, Empty);
        _values[Root] = NoValue;
    }

    /// <summary>Adds a string; of equal ones the last value counts.</summary>
    public void Add(ReadOnlySpan<char> text, int value)
    {
        int node = Root;
        foreach (char c in text)
        {
            int child = Child(node, c);
            node = child >= 0 ? child : AddNode(node, c);
        }
        _values[node] = value;
    }

    /// <summary>The node that a character leads to, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Child(int node, char next)
    {
        ulong key = ((ulong)(uint)node << 16) | next;
        ulong[] keys = _keys;
        int slot = (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
        while (true)
        {
            ulong found = keys[slot];
            if (found == key)
                return _children[slot];
            if (found == Empty)
                return -1;
            slot = (slot + 1) & (keys.Length - 1);
        }
    }

    /// <summary>The node that a string leads to, or -1.</summary>
    public int Walk(ReadOnlySpan<char> text)
    {
        int node = Root;
        foreach (char c in text)
            if ((node = Child(node, c)) < 0)
                return -1;
        return node;
    }

    /// <summary>The value of the string that ends at a node, or <see cref="NoValue"/>.</summary>
    public int ValueOf(int node) => _values[node];

    /// <summary>The longest string that a text has at a place.</summary>
    /// <param name="node">The node to begin at.</param>
    /// <param name="text">The text.</param>
    /// <param name="at">The place.</param>
    /// <param name="length">Its length in UTF-16 units.</param>
    /// <returns>Its value, or <see cref="NoValue"/>.</returns>
    public int Longest(int node, ReadOnlySpan<char> text, int at, out int length)
    {
        int value = NoValue;
        length = 0;
        for (int i = at; i < text.Length && (node = Child(node, text[i])) >= 0; i++)
        {
            if (_values[node] == NoValue)
                continue;
            value = _values[node];
            length = i + 1 - at;
        }
        return value;
    }

    private int AddNode(int parent, char next)
    {
        if (4 * _nodes > 3 * _keys.Length)
            Grow();
        if (_nodes == _values.Length)
            Array.Resize(ref _values, 2 * _nodes);
        int node = _nodes++;
        _values[node] = NoValue;
        Put(((ulong)(uint)parent << 16) | next, node);
        return node;
    }

    private void Put(ulong key, int child)
    {
        int slot = (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
        while (_keys[slot] != Empty)
            slot = (slot + 1) & (_keys.Length - 1);
        _keys[slot] = key;
        _children[slot] = child;
    }

    private void Grow()
    {
        (ulong[] keys, int[] children) = (_keys, _children);
        _keys = new ulong[2 * keys.Length];
        _children = new int[2 * keys.Length];
        _shift--;
        Array.Fill(_keys, Empty);
        for (int i = 0; i < keys.Length; i++)
            if (keys[i] != Empty)
                Put(keys[i], children[i]);
    }
}
