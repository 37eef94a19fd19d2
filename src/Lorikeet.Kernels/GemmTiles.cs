using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using unsafe Tile = delegate*<float*, nint, float*, nint, nint, float*, nint, float*, bool, void>;

namespace Lorikeet.Kernels;

/// <summary>The compiled tiles of one register width, by height and breadth.</summary>
internal sealed unsafe class GemmTiles
{
    private static GemmTiles? _wide512, _wide256, _wide128;

    private readonly nint[] _byRows = new nint[2 * 14];

    /// <summary>Floats in a register.</summary>
    public required int Lanes { get; init; }

    /// <summary>The highest tile whose accumulators all stay in registers.</summary>
    public required int MaxRows { get; init; }

    /// <summary>Tiles with <paramref name="rows"/> rows of one or two registers.</summary>
    public Tile this[int rows, int registers] => (Tile)_byRows[2 * (rows - 1) + registers - 1];

    /// <summary>The tiles of a tier.</summary>
    public static GemmTiles Of(KernelTier tier) => tier switch
    {
        KernelTier.Vector512 => _wide512 ??= Build<Vector512<float>, Lanes512>(14),
        KernelTier.Vector256 => _wide256 ??= Build<Vector256<float>, Lanes256>(6),
        _ => _wide128 ??= Build<Vector128<float>, Lanes128>(AdvSimd.Arm64.IsSupported ? 12 : 6),
    };

    private static GemmTiles Build<TVector, TLanes>(int maxRows)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
    {
        var tiles = new GemmTiles { Lanes = TLanes.Count, MaxRows = maxRows };
        tiles.Add<TVector, TLanes, Size1>();
        tiles.Add<TVector, TLanes, Size2>();
        tiles.Add<TVector, TLanes, Size3>();
        tiles.Add<TVector, TLanes, Size4>();
        tiles.Add<TVector, TLanes, Size5>();
        tiles.Add<TVector, TLanes, Size6>();
        tiles.Add<TVector, TLanes, Size7>();
        tiles.Add<TVector, TLanes, Size8>();
        tiles.Add<TVector, TLanes, Size9>();
        tiles.Add<TVector, TLanes, Size10>();
        tiles.Add<TVector, TLanes, Size11>();
        tiles.Add<TVector, TLanes, Size12>();
        tiles.Add<TVector, TLanes, Size13>();
        tiles.Add<TVector, TLanes, Size14>();
        return tiles;
    }

    private void Add<TVector, TLanes, TRows>()
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        where TRows : struct, IGemmSize
    {
        Tile one = &GemmTile<TVector, TLanes, TRows, Size1>.Run;
        Tile two = &GemmTile<TVector, TLanes, TRows, Size2>.Run;
        _byRows[2 * (TRows.Value - 1)] = (nint)one;
        _byRows[2 * (TRows.Value - 1) + 1] = (nint)two;
    }
}
