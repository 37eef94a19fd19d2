using System.Runtime.Intrinsics;
using unsafe AddRows = delegate*<byte*, nint, int, float*, float*, void>;
using unsafe Dots = delegate*<byte*, nint, int, float*, nint, int, float*, nint, void>;

namespace Lorikeet.Kernels;

/// <summary>The compiled kernels of one register width for products with a few rows, by storage type and number of rows.</summary>
internal sealed unsafe class GemvKernels
{
    private static GemvKernels? _wide512, _wide256, _wide128;

    private readonly nint[] _dots = new nint[3 * Gemv.MaxRows];
    private readonly nint[] _addRows = new nint[3 * Gemv.MaxRows];

    /// <summary>Rows of activations whose sums all stay in registers.</summary>
    public required int Group { get; init; }

    /// <summary>The kernels of a tier.</summary>
    public static GemvKernels Of(KernelTier tier) => tier.Compiled() switch
    {
        KernelTier.Vector512 => _wide512 ??= Build<Vector512<float>, Lanes512>(8),
        KernelTier.Vector256 => _wide256 ??= Build<Vector256<float>, Lanes256>(4),
        _ => _wide128 ??= Build<Vector128<float>, Lanes128>(4),
    };

    /// <summary>True for the types that kernels read as they are; others are unpacked to f32 first.</summary>
    public static bool Reads(DType type) => type is DType.F32 or DType.BF16 or DType.F16;

    /// <summary><see cref="GemvRows{TVector,TLanes,TSource,TRows}.Run"/> for a number of rows of activations.</summary>
    public Dots Dots(DType type, int rows) => (Dots)_dots[Index(type, rows)];

    /// <summary><see cref="GemvColumns{TVector,TLanes,TSource,TRows}.Run"/> for a number of stored rows.</summary>
    public AddRows AddRows(DType type, int rows) => (AddRows)_addRows[Index(type, rows)];

    private static int Index(DType type, int rows) => type switch { DType.BF16 => Gemv.MaxRows, DType.F16 => 2 * Gemv.MaxRows, _ => 0 } + rows - 1;

    private static GemvKernels Build<TVector, TLanes>(int group)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
    {
        var kernels = new GemvKernels { Group = group };
        kernels.Add<TVector, TLanes, F32Source>(DType.F32);
        kernels.Add<TVector, TLanes, BF16Source>(DType.BF16);
        kernels.Add<TVector, TLanes, F16Source>(DType.F16);
        return kernels;
    }

    private void Add<TVector, TLanes, TSource>(DType type)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        where TSource : struct, IGemmSource
    {
        Add<TVector, TLanes, TSource, Size1>(type);
        Add<TVector, TLanes, TSource, Size2>(type);
        Add<TVector, TLanes, TSource, Size3>(type);
        Add<TVector, TLanes, TSource, Size4>(type);
        Add<TVector, TLanes, TSource, Size5>(type);
        Add<TVector, TLanes, TSource, Size6>(type);
        Add<TVector, TLanes, TSource, Size7>(type);
        Add<TVector, TLanes, TSource, Size8>(type);
    }

    private void Add<TVector, TLanes, TSource, TRows>(DType type)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        where TSource : struct, IGemmSource
        where TRows : struct, IGemmSize
    {
        Dots dots = &GemvRows<TVector, TLanes, TSource, TRows>.Run;
        AddRows addRows = &GemvColumns<TVector, TLanes, TSource, TRows>.Run;
        _dots[Index(type, TRows.Value)] = (nint)dots;
        _addRows[Index(type, TRows.Value)] = (nint)addRows;
    }
}
