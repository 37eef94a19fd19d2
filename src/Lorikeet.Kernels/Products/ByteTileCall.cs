using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>What a tile of bytes is told. <see cref="Assembled.ByteTileAssembler"/> knows the fields by their offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ByteTileCall
{
    /// <summary>Where the fields behind <see cref="Tile"/> stand, eight bytes each.</summary>
    public static int SumsAt => sizeof(GemmTileCall);
    /// <summary>See <see cref="SumsAt"/>.</summary>
    public static int FirstAt => SumsAt + 8;
    /// <summary>See <see cref="SumsAt"/>.</summary>
    public static int LastAt => SumsAt + 16;

    /// <summary>A: <see cref="QuantizedStrips"/>, B: some of a panel, and how many steps of four terms; the distances of both are known.</summary>
    public GemmTileCall Tile;
    /// <summary>The tile's sums of earlier terms, which take those of these: a panel's columns of each row side by side, at a line of the cache for speed.</summary>
    public float* Sums;
    /// <summary>Not 0: the terms are the first, and the sums hold nothing yet.</summary>
    public nint First;
    /// <summary>Not 0: the terms are the last, the columns' scales follow, and sums go to C.</summary>
    public nint Last;
}
