using System.Buffers;

namespace Lorikeet.Text;

/// <summary>
/// Byte-pair merging: of all neighbouring pairs the one that ranks first merges, the leftmost of equals, until none can.
/// </summary>
internal static class PairMerger
{
    /// <summary>Up to this many symbols a plain search for the next merge beats a heap.</summary>
    private const int SmallCount = 48;

    /// <summary>Merges in place.</summary>
    /// <param name="table">What may merge.</param>
    /// <param name="ids">The symbols; on return the tokens in front.</param>
    /// <param name="lengths">Their lengths, which add up when they merge.</param>
    /// <returns>The number of tokens.</returns>
    public static int Merge(MergeTable table, Span<int> ids, Span<int> lengths) =>
        ids.Length <= SmallCount ? MergeFew(table, ids, lengths) : MergeMany(table, ids, lengths);

    private static int MergeFew(MergeTable table, Span<int> ids, Span<int> lengths)
    {
        int count = ids.Length;
        Span<ulong> merges = stackalloc ulong[SmallCount];
        for (int i = 0; i + 1 < count; i++)
            merges[i] = table.Find(ids[i], ids[i + 1]);
        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i + 1 < count; i++)
                if (merges[i] >> 32 < merges[best] >> 32)
                    best = i;
            if (merges[best] == MergeTable.None)
                break;
            ids[best] = MergeTable.ResultOf(merges[best]);
            lengths[best] += lengths[best + 1];
            int tail = count - best - 2;
            ids.Slice(best + 2, tail).CopyTo(ids[(best + 1)..]);
            lengths.Slice(best + 2, tail).CopyTo(lengths[(best + 1)..]);
            if (tail > 0)
                merges.Slice(best + 1, tail).CopyTo(merges[best..]);
            count--;
            if (best > 0)
                merges[best - 1] = table.Find(ids[best - 1], ids[best]);
            if (best + 1 < count)
                merges[best] = table.Find(ids[best], ids[best + 1]);
        }
        return count;
    }

    private static int MergeMany(MergeTable table, Span<int> ids, Span<int> lengths)
    {
        int count = ids.Length;
        int[] links = ArrayPool<int>.Shared.Rent(2 * count);
        Span<int> previous = links.AsSpan(0, count);
        Span<int> next = links.AsSpan(count, count);
        MergeHeap heap = new(count);
        for (int i = 0; i < count; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1;
            if (i + 1 < count)
                heap.Push(table.Find(ids[i], ids[i + 1]), i);
        }
        while (heap.Pop(out ulong merge, out int left))
        {
            int right = lengths[left] < 0 ? count : next[left];
            // a pair whose sides have changed since it was queued is stale; its new form is queued on its own
            if (right >= count || table.Find(ids[left], ids[right]) != merge)
                continue;
            ids[left] = MergeTable.ResultOf(merge);
            lengths[left] += lengths[right];
            lengths[right] = -1;
            int after = next[right];
            next[left] = after;
            if (after < count)
            {
                previous[after] = left;
                heap.Push(table.Find(ids[left], ids[after]), left);
            }
            if (previous[left] >= 0)
                heap.Push(table.Find(ids[previous[left]], ids[left]), previous[left]);
        }
        heap.Dispose();
        int kept = 0;
        for (int i = 0; i < count; i = next[i], kept++)
        {
            ids[kept] = ids[i];
            lengths[kept] = lengths[i];
        }
        ArrayPool<int>.Shared.Return(links);
        return kept;
    }
}
