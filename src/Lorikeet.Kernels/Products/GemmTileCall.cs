using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>What a tile is told. <see cref="Assembled.TileAssembler"/> knows the fields by their offsets, eight bytes each.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct GemmTileCall
{
    /// <summary>Rows of A.</summary>
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
    /// <summary>Bytes from one row of A to the next; compiled tiles read rows that lie side by side.</summary>
    public nint ARow;
    /// <summary>Rows of a second product, whose steps of B follow the first's; assembled tiles only.</summary>
    public void* A2;
    /// <summary>Bytes from one of its steps of k to the next.</summary>
    public nint A2Step;
    /// <summary>Bytes from one of its rows to the next.</summary>
    public nint A2Row;
    /// <summary>Its steps; 0 for none.</summary>
    public nint Steps2;
    /// <summary>Tiles side by side, of the same rows; 0 is one. Assembled tiles change this and what follows them while they run: B, C and the bias.</summary>
    public nint Panels;
    /// <summary>Bytes from one panel of B to the next.</summary>
    public nint BPanel;
    /// <summary>A tile that would begin to fetch further than here begins here.</summary>
    public void* NextEnd;
    /// <summary>Bytes from what a step reads of B to what is fetched meanwhile; assembled tiles of <see cref="GemmTiles.InPlace"/> only.</summary>
    public nint BAhead;
}
