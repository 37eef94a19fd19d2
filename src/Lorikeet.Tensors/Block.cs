namespace Lorikeet.Tensors;

/// <summary>A piece of native memory with a count of the tensors that look at it. See <see cref="BlockPool"/>.</summary>
internal sealed unsafe class Block
{
    public byte* Pointer;
    public long Bytes;
    public int Users;

    /// <summary>True where a derivative will read the contents again.</summary>
    public bool Saved;

    public bool IsFree;

    /// <summary>What it is a part of.</summary>
    public Segment Segment = null!;

    /// <summary>Neighbours in memory.</summary>
    public Block? Before, After;

    /// <summary>Neighbours in the list of free blocks of a size.</summary>
    public Block? PreviousFree, NextFree;
}
