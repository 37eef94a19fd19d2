using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>
/// Tiles of bytes, as broad as a panel of weights whose rows have one scale: those of <see cref="ByteTileAssembler"/> by height, and the same as
/// compiled code, for processors without dot products of bytes and systems where no code can be assembled: the same integers and the same order of
/// sums, four columns at a time.
/// </summary>
internal static unsafe class ByteTile
{
    private const int CompiledRows = 4;

    private static readonly Lock Door = new();
    private static readonly nint[] Tiles512 = new nint[ByteTileAssembler.MaxRows(64)], Tiles256 = new nint[ByteTileAssembler.MaxRows(32)];

    /// <summary>Rows whose sums stay in registers.</summary>
    public static int MaxRows(IntegerDots dots) => dots switch
    {
        IntegerDots.Avx512Vnni => ByteTileAssembler.MaxRows(64),
        IntegerDots.AvxVnni => ByteTileAssembler.MaxRows(32),
        _ => CompiledRows,
    };

    /// <summary>Runs a tile of some rows.</summary>
    public static void Run(IntegerDots dots, int rows, ByteTileCall* call)
    {
        if (dots is IntegerDots.Avx512Vnni or IntegerDots.AvxVnni)
            ((delegate* unmanaged[SuppressGCTransition]<ByteTileCall*, void>)Assembled(dots == IntegerDots.Avx512Vnni ? 64 : 32, rows))(call);
        else
            Compiled(rows, call);
    }

    private static nint Assembled(int width, int rows)
    {
        ref nint tile = ref (width == 64 ? Tiles512 : Tiles256)[rows - 1];
        if (Volatile.Read(ref tile) == 0)
        {
            lock (Door)
            {
                if (tile == 0)
                    Volatile.Write(ref tile, ByteTileAssembler.Tile(width, rows).Publish());
            }
        }
        return tile;
    }

    private static void Compiled(int rows, ByteTileCall* call)
    {
        for (int column = 0; column < PanelLayout.Columns; column += 4)
        {
            switch (rows)
            {
                case 1:
                    Columns<Size1>(column, call);
                    break;
                case 2:
                    Columns<Size2>(column, call);
                    break;
                case 3:
                    Columns<Size3>(column, call);
                    break;
                default:
                    Columns<Size4>(column, call);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<TRows>(int column, ByteTileCall* call)
        where TRows : struct, IGemmSize
    {
        const int columns = PanelLayout.Columns;
        int rows = TRows.Value;
        float* sums = call->Sums + column;
        Vector128<float> f0 = default, f1 = default, f2 = default, f3 = default;
        if (call->First == 0)
        {
            f0 = Vector128.Load(sums);
            if (rows > 1)
                f1 = Vector128.Load(sums + columns);
            if (rows > 2)
                f2 = Vector128.Load(sums + 2 * columns);
            if (rows > 3)
                f3 = Vector128.Load(sums + 3 * columns);
        }
        int pitch = QuantizedStrips.Pitch(byRows: true) / sizeof(int);
        int* a = (int*)call->Tile.A, b = (int*)call->Tile.B + column;
        for (nint left = call->Tile.Steps; left > 0; left -= PanelLayout.RowTerms / 4)
        {
            Vector128<int> i0 = default, i1 = default, i2 = default, i3 = default;
            // codes of B are made signed here: what sums would begin with is not wanted
            a++;
            for (nint step = Math.Min(left, PanelLayout.RowTerms / 4); step > 0; step--, a++, b += columns)
            {
                Vector128<sbyte> codes = (Vector128.Load(b).AsByte() ^ Vector128.Create((byte)128)).AsSByte();
                i0 = QuantizedTile.Dot(i0, codes, a[0]);
                if (rows > 1)
                    i1 = QuantizedTile.Dot(i1, codes, a[pitch]);
                if (rows > 2)
                    i2 = QuantizedTile.Dot(i2, codes, a[2 * pitch]);
                if (rows > 3)
                    i3 = QuantizedTile.Dot(i3, codes, a[3 * pitch]);
            }
            float* by = (float*)a;
            f0 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i0), Vector128.Create(by[0]), f0);
            if (rows > 1)
                f1 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i1), Vector128.Create(by[pitch]), f1);
            if (rows > 2)
                f2 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i2), Vector128.Create(by[2 * pitch]), f2);
            if (rows > 3)
                f3 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i3), Vector128.Create(by[3 * pitch]), f3);
            a++;
        }
        if (call->Last == 0)
        {
            f0.Store(sums);
            if (rows > 1)
                f1.Store(sums + columns);
            if (rows > 2)
                f2.Store(sums + 2 * columns);
            if (rows > 3)
                f3.Store(sums + 3 * columns);
            return;
        }
        Vector128<float> scale = Vector128.Load((float*)b);
        QuantizedTile.Store(&call->Tile, 0, column, f0 * scale);
        if (rows > 1)
            QuantizedTile.Store(&call->Tile, 1, column, f1 * scale);
        if (rows > 2)
            QuantizedTile.Store(&call->Tile, 2, column, f2 * scale);
        if (rows > 3)
            QuantizedTile.Store(&call->Tile, 3, column, f3 * scale);
    }
}
