using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Assembled;

/// <summary>What an assembled kernel of quantised dot products is told. <see cref="DotAssembler"/> knows the fields by their offsets, eight bytes each.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct DotCall
{
    /// <summary>First block of the first row of weights.</summary>
    public byte* Weights;
    /// <summary>Bytes from one row of weights to the next.</summary>
    public nint WeightStep;
    /// <summary>Rows of weights, at least one; the code counts it down.</summary>
    public nint Rows;
    /// <summary>Blocks of a row of weights, at least one.</summary>
    public nint Blocks;
    /// <summary>Codes and starts of a group of activations: see <see cref="QuantizedRows"/>.</summary>
    public byte* Codes;
    /// <summary>Scales of the group.</summary>
    public float* Scales;
    /// <summary>Sums of the group.</summary>
    public float* Totals;
    /// <summary>The first row's sum.</summary>
    public float* Sums;
    /// <summary>Bytes from the sum of one row of activations to that of the next.</summary>
    public nint SumsStep;
    /// <summary>Constants, and behind them room for 8 floats of each row.</summary>
    public byte* Constants;
}
