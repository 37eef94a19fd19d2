using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>What a tile of bytes is told, and room for its sums from one group of terms to the next.</summary>
[StructLayout(LayoutKind.Explicit, Size = SumsAt + (14 * PanelLayout.Columns * sizeof(float)))]
internal struct ByteTileCall
{
    /// <summary>Where the sums begin: at a line of the cache, where the call does.</summary>
    public const int SumsAt = 256;

    /// <summary>A: <see cref="QuantizedStrips"/>, B: a panel, and how many steps of four terms; the distances of both are known.</summary>
    [FieldOffset(0)]
    public GemmTileCall Tile;
}
