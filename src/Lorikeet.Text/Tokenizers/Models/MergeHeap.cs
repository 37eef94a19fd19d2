using System.Buffers;

namespace Lorikeet.Text;

/// <summary>A binary heap of merges waiting to happen: first by rank, then from left to right.</summary>
internal struct MergeHeap : IDisposable
{
    private ulong[] _merges;
    private int[] _places;
    private int _count;

    public MergeHeap(int capacity)
    {
        _merges = ArrayPool<ulong>.Shared.Rent(capacity + 1);
        _places = ArrayPool<int>.Shared.Rent(capacity + 1);
    }

    /// <summary>Adds a merge of the symbol at a place with the next one; <see cref="MergeTable.None"/> is left out.</summary>
    public void Push(ulong merge, int place)
    {
        if (merge == MergeTable.None)
            return;
        if (_count == _merges.Length || _count == _places.Length)
            Grow();
        int at = _count++;
        while (at > 0)
        {
            int parent = (at - 1) >> 1;
            if (!Before(merge, place, _merges[parent], _places[parent]))
                break;
            _merges[at] = _merges[parent];
            _places[at] = _places[parent];
            at = parent;
        }
        _merges[at] = merge;
        _places[at] = place;
    }

    /// <summary>Takes the first merge out.</summary>
    public bool Pop(out ulong merge, out int place)
    {
        merge = MergeTable.None;
        place = 0;
        if (_count == 0)
            return false;
        merge = _merges[0];
        place = _places[0];
        ulong last = _merges[--_count];
        int lastPlace = _places[_count];
        int at = 0;
        while (true)
        {
            int child = 2 * at + 1;
            if (child >= _count)
                break;
            if (child + 1 < _count && Before(_merges[child + 1], _places[child + 1], _merges[child], _places[child]))
                child++;
            if (!Before(_merges[child], _places[child], last, lastPlace))
                break;
            _merges[at] = _merges[child];
            _places[at] = _places[child];
            at = child;
        }
        _merges[at] = last;
        _places[at] = lastPlace;
        return true;
    }

    public readonly void Dispose()
    {
        ArrayPool<ulong>.Shared.Return(_merges);
        ArrayPool<int>.Shared.Return(_places);
    }

    private static bool Before(ulong merge, int place, ulong other, int otherPlace)
    {
        uint rank = (uint)(merge >> 32);
        uint otherRank = (uint)(other >> 32);
        return rank != otherRank ? rank < otherRank : place < otherPlace;
    }

    private void Grow()
    {
        ulong[] merges = ArrayPool<ulong>.Shared.Rent(2 * _count);
        int[] places = ArrayPool<int>.Shared.Rent(2 * _count);
        _merges.AsSpan(0, _count).CopyTo(merges);
        _places.AsSpan(0, _count).CopyTo(places);
        Dispose();
        _merges = merges;
        _places = places;
    }
}
