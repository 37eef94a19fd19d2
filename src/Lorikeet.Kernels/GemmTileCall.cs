using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>What a tile is told. <see cref="Assembled.TileAssembler"/> knows the fields by their offsets, eight bytes each.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct GemmTileCall
{
    /// <summary>Rows of A, of each step of k side by side.</summary>
    public void* A;
    /// <summary>Bytes from one step of k to the next.</summary>
    public nint AStep;
    /// <summary>Columns of B, of each step of k side by side.</summary>
    public void* B;
    /// <summary>Bytes from one step of k to the next.</summary>
    public nint BStep;
    /// <summary>Steps of k.</summary>
    public nint Steps;
    /// <summary>The tile's first element of C.</summary>
    public float* C;
    /// <summary>Bytes from one row of C to the next.</summary>
    public nint CStep;
    /// <summary>Added to every row, or null.</summary>
    public float* Bias;
    /// <summary>Not 0: adds to what C holds.</summary>
    public nint Accumulate;
    /// <summary>Memory that will be read soon: assembled tiles fetch <see cref="GemmTiles.FetchedByStep"/> bytes of it with each step.</summary>
    public void* Next;
}
