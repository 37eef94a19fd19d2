using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lorikeet.Text;

/// <summary>Which neighbouring tokens may merge, into what, and in which order: a hash table over pairs of numbers.</summary>
internal sealed class MergeTable
{
    /// <summary>What <see cref="Find"/> answers for a pair that does not merge; greater than every merge.</summary>
    public const ulong None = ulong.MaxValue;

    private const ulong Empty = ulong.MaxValue;
    private readonly ulong[] _keys;
    private readonly ulong[] _merges;
    private readonly int _shift;

    /// <summary>Makes room for a number of pairs.</summary>
    public MergeTable(int capacity)
    {
        int bits = Math.Max(4, BitOperations.Log2((uint)Math.Max(1, capacity)) + 2);
        _keys = new ulong[1 << bits];
        _merges = new ulong[1 << bits];
        _shift = 64 - bits;
        Array.Fill(_keys, Empty);
    }

    /// <summary>Sets what a pair merges into; a later call for the same pair wins.</summary>
    public void Set(int left, int right, int rank, int result)
    {
        ulong key = Key(left, right);
        int slot = SlotOf(key);
        while (_keys[slot] != Empty && _keys[slot] != key)
            slot = (slot + 1) & (_keys.Length - 1);
        _keys[slot] = key;
        _merges[slot] = ((ulong)(uint)rank << 32) | (uint)result;
    }

    /// <summary>The merge of a pair, rank in the upper half (the smaller merges first) and result in the lower, or <see cref="None"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Find(int left, int right)
    {
        ulong key = Key(left, right);
        ulong[] keys = _keys;
        int slot = SlotOf(key);
        while (true)
        {
            ulong found = keys[slot];
            if (found == key)
                return _merges[slot];
            if (found == Empty)
                return None;
            slot = (slot + 1) & (keys.Length - 1);
        }
    }

    /// <summary>The result of a merge.</summary>
    public static int ResultOf(ulong merge) => (int)(uint)merge;

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SlotOf(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
}
