using System.Numerics;

namespace Lorikeet.Training;

/// <summary>Puts rows together to packs of at most so many tokens. The packs are those of TRL's <c>pack_dataset</c>.</summary>
public static class Packer
{
    /// <summary>
    /// Best fit, decreasing: the longest piece first, each into the pack with the least room that still holds it; among packs with equal room,
    /// the one that came to it first.
    /// </summary>
    /// <param name="pieces">Pieces of at most <paramref name="capacity"/> tokens; those of equal length keep their order.</param>
    /// <param name="capacity">Tokens of a pack at most.</param>
    public static IReadOnlyList<IReadOnlyList<PackSegment>> BestFitDecreasing(IReadOnlyList<PackSegment> pieces, int capacity)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        List<List<PackSegment>> packs = [];
        Queue<int>?[] packsWithRoom = new Queue<int>?[capacity + 1];
        ulong[] occupied = new ulong[capacity / 64 + 1]; // which rooms have packs
        foreach (PackSegment piece in pieces.OrderByDescending(p => p.Count))
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(piece.Count, capacity);
            int room = Next(occupied, piece.Count);
            int pack;
            if (room > capacity)
            {
                room = capacity;
                pack = packs.Count;
                packs.Add([]);
            }
            else
            {
                pack = packsWithRoom[room]!.Dequeue();
                if (packsWithRoom[room]!.Count == 0)
                    occupied[room / 64] &= ~(1UL << room % 64);
            }
            packs[pack].Add(piece);
            int left = room - piece.Count;
            (packsWithRoom[left] ??= []).Enqueue(pack);
            occupied[left / 64] |= 1UL << left % 64;
        }
        return packs;
    }

    /// <summary>All rows one after another, cut every <paramref name="capacity"/> tokens; the last pack may be shorter.</summary>
    /// <param name="lengths">Tokens of each row.</param>
    /// <param name="capacity">Tokens of a pack.</param>
    public static IReadOnlyList<IReadOnlyList<PackSegment>> Wrapped(IReadOnlyList<int> lengths, int capacity)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        List<List<PackSegment>> packs = [];
        int room = 0;
        for (int row = 0; row < lengths.Count; row++)
        {
            for (int start = 0; start < lengths[row];)
            {
                if (room == 0)
                {
                    packs.Add([]);
                    room = capacity;
                }
                int count = Math.Min(room, lengths[row] - start);
                packs[^1].Add(new PackSegment(row, start, count));
                start += count;
                room -= count;
            }
        }
        return packs;
    }

    // the smallest room of at least so much that any pack has
    private static int Next(ulong[] occupied, int from)
    {
        int word = from / 64;
        ulong bits = occupied[word] & (ulong.MaxValue << from % 64);
        while (bits == 0)
        {
            if (++word == occupied.Length)
                return int.MaxValue;
            bits = occupied[word];
        }
        return word * 64 + BitOperations.TrailingZeroCount(bits);
    }
}
