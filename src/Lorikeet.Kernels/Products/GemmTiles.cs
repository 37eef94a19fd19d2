using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>The tiles of one register width, by height and breadth: compiled, or assembled when each is first wanted.</summary>
internal sealed unsafe class GemmTiles
{
    private static GemmTiles? _wide512, _wide256, _wide128, _assembled512, _assembled256, _inPlace512, _inPlace256, _pairs512;

    private readonly nint[] _byRows = new nint[2 * 2 * 14];
    private readonly bool _assembled, _inPlace;
    private readonly TileKind _kind;

    private GemmTiles(int lanes, int maxRows, bool assembled, TileKind kind = TileKind.F32, bool inPlace = false)
    {
        _inPlace = inPlace;
        _kind = kind;
        Lanes = lanes;
        MaxRows = maxRows;
        _assembled = assembled;
    }

    /// <summary>Floats in a register.</summary>
    public int Lanes { get; }

    /// <summary>The highest tile whose accumulators all stay in registers.</summary>
    public int MaxRows { get; }

    /// <summary>True where tiles fetch what the call names to be read next.</summary>
    public bool Fetches => _assembled;

    /// <summary>Bytes that such a tile fetches with each step.</summary>
    public const int FetchedByStep = 64 / TileAssembler.Unroll;

    /// <summary>True where a tier has tiles of a kind: all have those of singles.</summary>
    public static bool Has(KernelTier tier, TileKind kind) => kind switch
    {
        TileKind.BF16 => tier == KernelTier.Assembled512 && ProcessorFeatures.Avx512BF16,
        TileKind.F32 => true,
        _ => false,
    };

    /// <summary>The tiles of a tier.</summary>
    public static GemmTiles Of(KernelTier tier, TileKind kind = TileKind.F32) => kind == TileKind.BF16 ? _pairs512 ??= new GemmTiles(Lanes512.Count, 14, true, kind) : tier switch
    {
        KernelTier.Assembled512 => _assembled512 ??= new GemmTiles(Lanes512.Count, 14, true),
        KernelTier.Assembled256 => _assembled256 ??= new GemmTiles(Lanes256.Count, 6, true),
        KernelTier.Vector512 => _wide512 ??= Build<Vector512<float>, Lanes512>(14),
        KernelTier.Vector256 => _wide256 ??= Build<Vector256<float>, Lanes256>(6),
        _ => _wide128 ??= Build<Vector128<float>, Lanes128>(AdvSimd.Arm64.IsSupported ? 12 : 6),
    };

    /// <summary>The tiles of a tier for a B that is read where memory holds it: assembled ones fetch it ahead of themselves (<see cref="GemmTileCall.BAhead"/>).</summary>
    public static GemmTiles InPlace(KernelTier tier) => tier switch
    {
        KernelTier.Assembled512 => _inPlace512 ??= new GemmTiles(Lanes512.Count, 14, true, inPlace: true),
        KernelTier.Assembled256 => _inPlace256 ??= new GemmTiles(Lanes256.Count, 6, true, inPlace: true),
        _ => Of(tier),
    };

    /// <summary>
    /// Runs the tile with <paramref name="rows"/> rows of one or two registers; <paramref name="apart"/>, of assembled tiles only: rows of A lie
    /// apart and its steps side by side, and B is packed.
    /// </summary>
    public void Run(int rows, int registers, bool apart, GemmTileCall* call)
    {
        nint tile = _byRows[Index(rows, registers, apart)];
        if (!_assembled)
            ((delegate*<GemmTileCall*, void>)tile)(call);
        else
            ((delegate* unmanaged[SuppressGCTransition]<GemmTileCall*, void>)(tile != 0 ? tile : Assemble(rows, registers, apart)))(call);
    }

    private static int Index(int rows, int registers, bool apart) => (apart ? 2 * 14 : 0) + 2 * (rows - 1) + registers - 1;

    private nint Assemble(int rows, int registers, bool apart)
    {
        lock (_byRows)
        {
            ref nint tile = ref _byRows[Index(rows, registers, apart)];
            if (tile == 0)
                Volatile.Write(ref tile, TileAssembler.Tile(_kind, Lanes * sizeof(float), rows, registers, apart, _inPlace).Publish());
            return tile;
        }
    }

    private static GemmTiles Build<TVector, TLanes>(int maxRows)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
    {
        var tiles = new GemmTiles(TLanes.Count, maxRows, false);
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
        delegate*<GemmTileCall*, void> one = &GemmTile<TVector, TLanes, TRows, Size1>.Run;
        delegate*<GemmTileCall*, void> two = &GemmTile<TVector, TLanes, TRows, Size2>.Run;
        _byRows[2 * (TRows.Value - 1)] = (nint)one;
        _byRows[2 * (TRows.Value - 1) + 1] = (nint)two;
    }
}
