using System.Numerics;
using System.Runtime.InteropServices;

namespace Lorikeet.Tensors;

/// <summary>A reusable piece of native memory with a count of the tensors that look at it.</summary>
internal sealed unsafe class Block
{
    public byte* Pointer;
    public long Bytes;
    public int Class;
    public int Users;

    /// <summary>True where a derivative will read the contents again.</summary>
    public bool Saved;
}

/// <summary>
/// Native blocks in size classes, eight to a doubling, so at most an eighth of a block is wasted. Blocks go back to their class and are
/// handed out again: after warm-up a step asks the operating system for nothing.
/// </summary>
internal sealed unsafe class BlockPool : IDisposable
{
    private readonly List<Stack<Block>> _free = [];
    private readonly Stack<Block> _shells = new();

    /// <summary>Fills memory with NaN when it is handed out and when it comes back, so that a test sees who reads what was never written or is free.</summary>
    public bool Poisons { get; set; }

    /// <summary>Bytes held from the operating system, in use or free.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Bytes that tensors look at now.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>The most bytes ever in use at one time.</summary>
    public long PeakBytes { get; private set; }

    public Block Rent(long bytes)
    {
        int wanted = ClassOf(bytes);
        while (_free.Count <= wanted + 4)
            _free.Add(new Stack<Block>());
        Block? block = null;
        // a free block up to half as large again is better than another one from the system
        for (int c = wanted; c <= wanted + 4 && block is null; c++)
            _free[c].TryPop(out block);
        if (block is null)
        {
            block = _shells.TryPop(out Block? shell) ? shell : new Block();
            block.Class = wanted;
            block.Bytes = BytesOf(wanted);
            block.Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)block.Bytes, 64);
            HeldBytes += block.Bytes;
        }
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
        _free[block.Class].Push(block);
    }

    /// <summary>Gives free blocks back to the operating system.</summary>
    public void Trim()
    {
        foreach (Stack<Block> stack in _free)
        {
            while (stack.TryPop(out Block? block))
            {
                NativeMemory.AlignedFree(block.Pointer);
                HeldBytes -= block.Bytes;
                block.Pointer = null;
                _shells.Push(block);
            }
        }
    }

    public void Dispose() => Trim();

    // all bits set: a NaN as f32, -1 as an index
    private static void Poison(Block block) => NativeMemory.Fill(block.Pointer, (nuint)block.Bytes, 0xFF);

    private static int ClassOf(long bytes)
    {
        ulong units = ((ulong)Math.Max(bytes, 1) + 63) / 64;
        if (units <= 8)
            return (int)units - 1;
        int exponent = BitOperations.Log2(units - 1) - 3;
        return exponent * 8 + (int)((units - 1) >> exponent);
    }

    private static long BytesOf(int sizeClass)
    {
        if (sizeClass < 8)
            return (sizeClass + 1) * 64L;
        int exponent = sizeClass / 8 - 1;
        return ((long)(sizeClass % 8 + 8 + 1) << exponent) * 64;
    }
}
