using System.Numerics;
using System.Runtime.InteropServices;
using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>
/// Native memory for tensors that come and go: large segments of the operating system, cut into blocks by two-level segregated fit (Masmano et
/// al. 2004). Free neighbours join again at once, so steps of different lengths share the same memory; after warm-up a step asks the operating
/// system for nothing, and no block costs a managed allocation. Where memory is given when it is first written, a segment is far larger than
/// what is wanted: between small ones there would be ends that nothing fits into.
/// </summary>
internal sealed unsafe class BlockPool : IDisposable
{
    private const int Unit = 64;
    private const int Classes = 8 * 60;
    private const int Tries = 16;
    private const long SmallestSegment = 1 << 20;
    private const long LargestSegment = 1 << 28;
    private const long LazySegment = 1 << 30;

    private readonly Block?[] _free = new Block?[Classes];
    private readonly ulong[] _filled = new ulong[Classes / 64 + 1];
    private readonly List<Segment> _segments = [];
    private readonly Stack<Block> _shells = new();

    /// <summary>Fills memory with NaN when it is handed out and when it comes back, so that a test sees who reads what was never written or is free.</summary>
    public bool Poisons { get; set; }

    /// <summary>Bytes that the operating system has given, in use or free.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Bytes that tensors look at now.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>The most bytes in use at one time, ever or since <see cref="ForgetPeak"/>.</summary>
    public long PeakBytes { get; private set; }

    public Block Rent(long bytes)
    {
        long wanted = Math.Max(1, (bytes + Unit - 1) / Unit) * Unit;
        Block block = Find(wanted) ?? NewSegment(wanted);
        TakeOut(block);
        // a small rest stays with its block: at most a sixteenth
        if (block.Bytes - wanted >= Math.Max(4 * Unit, wanted / 16))
            PutIn(Split(block, wanted));
        Reach(block.Segment, block.Pointer + block.Bytes - block.Segment.First.Pointer);
        block.Users = 1;
        block.Saved = false;
        UsedBytes += block.Bytes;
        PeakBytes = Math.Max(PeakBytes, UsedBytes);
        if (Poisons)
            Poison(block);
        return block;
    }

    public void Return(Block block)
    {
        if (--block.Users > 0)
            return;
        UsedBytes -= block.Bytes;
        if (Poisons)
            Poison(block);
        if (block.After is { IsFree: true } after)
        {
            TakeOut(after);
            Join(block, after);
        }
        if (block.Before is { IsFree: true } before)
        {
            TakeOut(before);
            Join(before, block);
            block = before;
        }
        PutIn(block);
        if (UsedBytes == 0)
            Sort();
    }

    /// <summary>Counts the peak anew from what is in use now.</summary>
    public void ForgetPeak() => PeakBytes = UsedBytes;

    /// <summary>Gives segments that nothing uses back to the operating system.</summary>
    public void Trim()
    {
        for (int i = _segments.Count - 1; i >= 0; i--)
        {
            Segment segment = _segments[i];
            if (segment.First is not { IsFree: true, After: null })
                continue;
            TakeOut(segment.First);
            LargeMemory.Free(segment.First.Pointer, segment.Bytes);
            HeldBytes -= segment.Reached;
            _segments.RemoveAt(i);
        }
    }

    public void Dispose() => Trim();

    /// <summary>The smallest free block that is large enough, or nearly so.</summary>
    private Block? Find(long bytes)
    {
        int sizeClass = ClassOf(bytes);
        Block? block = _free[sizeClass];
        for (int i = 0; i < Tries && block is not null; i++, block = block.NextFree)
        {
            if (block.Bytes >= bytes)
                return block;
        }
        // any block of a higher class is large enough
        sizeClass++;
        int word = sizeClass / 64;
        ulong filled = _filled[word] & (ulong.MaxValue << sizeClass % 64);
        while (filled == 0 && ++word < _filled.Length)
            filled = _filled[word];
        return filled == 0 ? null : _free[word * 64 + BitOperations.TrailingZeroCount(filled)];
    }

    private Block NewSegment(long bytes)
    {
        long size = Math.Max(bytes, Math.Clamp(HeldBytes / 4 / Unit * Unit, SmallestSegment, LargestSegment));
        Block block = Shell();
        if (LargeMemory.IsLazy && size < LazySegment && TryAllocate(LazySegment, out block.Pointer))
            size = LazySegment;
        else
            block.Pointer = (byte*)LargeMemory.Allocate(size, zeroed: false);
        block.Bytes = size;
        block.Segment = new Segment { First = block, Bytes = size };
        if (!LargeMemory.IsLazy)
            Reach(block.Segment, size);
        _segments.Add(block.Segment);
        PutIn(block);
        return block;
    }

    // a small machine, or one whose memory is limited by address, may not give so much
    private static bool TryAllocate(long bytes, out byte* pointer)
    {
        try
        {
            pointer = (byte*)LargeMemory.Allocate(bytes, zeroed: false);
            return true;
        }
        catch (OutOfMemoryException)
        {
            pointer = null;
            return false;
        }
    }

    private void Reach(Segment segment, long bytes)
    {
        if (bytes <= segment.Reached)
            return;
        HeldBytes += bytes - segment.Reached;
        segment.Reached = bytes;
    }

    private Block Split(Block block, long bytes)
    {
        Block rest = Shell();
        rest.Pointer = block.Pointer + bytes;
        rest.Bytes = block.Bytes - bytes;
        rest.Segment = block.Segment;
        rest.Before = block;
        rest.After = block.After;
        if (block.After is not null)
            block.After.Before = rest;
        block.After = rest;
        block.Bytes = bytes;
        return rest;
    }

    private void Join(Block block, Block after)
    {
        block.Bytes += after.Bytes;
        block.After = after.After;
        if (after.After is not null)
            after.After.Before = block;
        _shells.Push(after);
    }

    private Block Shell()
    {
        Block block = _shells.TryPop(out Block? shell) ? shell : new Block();
        block.Before = block.After = null;
        return block;
    }

    private void PutIn(Block block)
    {
        int sizeClass = ClassOf(block.Bytes);
        block.IsFree = true;
        block.PreviousFree = null;
        block.NextFree = _free[sizeClass];
        if (block.NextFree is not null)
            block.NextFree.PreviousFree = block;
        _free[sizeClass] = block;
        _filled[sizeClass / 64] |= 1UL << sizeClass % 64;
    }

    private void TakeOut(Block block)
    {
        int sizeClass = ClassOf(block.Bytes);
        block.IsFree = false;
        if (block.NextFree is not null)
            block.NextFree.PreviousFree = block.PreviousFree;
        if (block.PreviousFree is not null)
            block.PreviousFree.NextFree = block.NextFree;
        else if ((_free[sizeClass] = block.NextFree) is null)
            _filled[sizeClass / 64] &= ~(1UL << sizeClass % 64);
        block.PreviousFree = block.NextFree = null;
    }

    // nothing is in use: every segment is one block again. In the same order each time, so that equal steps find equal memory
    private void Sort()
    {
        foreach (Segment segment in _segments)
            TakeOut(segment.First);
        for (int i = _segments.Count - 1; i >= 0; i--)
            PutIn(_segments[i].First);
    }

    // all bits set: a NaN as f32, -1 as an index
    private static void Poison(Block block) => NativeMemory.Fill(block.Pointer, (nuint)block.Bytes, 0xFF);

    /// <summary>Eight classes to a doubling; a block's class is the greatest whose size it reaches.</summary>
    private static int ClassOf(long bytes)
    {
        ulong units = (ulong)bytes / Unit;
        int exponent = BitOperations.Log2(units);
        return exponent < 3 ? (int)units : (exponent - 2) * 8 + (int)(units >> (exponent - 3) & 7);
    }
}
