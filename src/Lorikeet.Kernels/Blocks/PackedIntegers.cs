using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// A weight <c>[out, in]</c> as GPTQ (arXiv:2210.17323) and AWQ (arXiv:2306.00978) checkpoints store it, transposed and in 32-bit words:
/// <c>w[o, i] = scale[g(i), o] * (q[i, o] - zero[g(i), o])</c>.
/// <para>
/// GPTQ: q is a little-endian stream of bits along in, <c>[in * bits / 32, out]</c>; zeros one along out, <c>[groups, out * bits / 32]</c>. AWQ has
/// four bits, q <c>[in, out / 8]</c>, zeros <c>[groups, out / 8]</c>, and the eight columns of a word in the order 0, 2, 4, 6, 1, 3, 5, 7.
/// </para>
/// </summary>
public unsafe struct PackedIntegers
{
    private const int Tile = 16;

    /// <summary>Rows of the weight.</summary>
    public int Out;
    /// <summary>Columns of the weight.</summary>
    public int In;
    /// <summary>Bits of a code: 2, 3, 4 or 8.</summary>
    public int Bits;
    /// <summary>Columns that share scale and zero; with <see cref="GroupOf"/>, what <see cref="OrderByGroup"/> says of the columns in that order.</summary>
    public int Group;
    /// <summary>True for AWQ's order.</summary>
    public bool Awq;
    /// <summary>What is added to a stored zero: 1 in GPTQ's first version.</summary>
    public int ZeroShift;
    /// <summary>Codes.</summary>
    public uint* Weights;
    /// <summary>Zero points.</summary>
    public uint* Zeros;
    /// <summary><c>[groups, out]</c> f16.</summary>
    public ushort* Scales;
    /// <summary>The group of each column where they are not contiguous ("act-order"), else null. Values must lie inside.</summary>
    public int* GroupOf;
    /// <summary>The column that each place of a row of blocks takes, all of a group together; null where columns keep their places.</summary>
    public int* Order;

    private byte* _to;
    private DType _type;

    /// <summary>The block format that holds such a weight, or null where none does.</summary>
    public readonly DType? Storage => GroupOf != null && Order == null || Group % 32 != 0 || In % 32 != 0 ? null
        : Bits == 8 ? DType.U8G32
        : Group % 128 == 0 && In % 128 == 0 ? DType.U4G128 : DType.U4G32;

    /// <summary>Columns by their group, of one group in their order.</summary>
    /// <param name="groupOf">The group of each column.</param>
    /// <param name="order">Receives the column for each place.</param>
    /// <returns>The greatest number of neighbours that share a group wherever one counts them off from the first: what <see cref="Group"/> is in this order.</returns>
    public static int OrderByGroup(ReadOnlySpan<int> groupOf, Span<int> order)
    {
        int groups = 0;
        foreach (int group in groupOf)
            groups = Math.Max(groups, group + 1);
        int[] next = new int[groups + 1];
        foreach (int group in groupOf)
            next[group + 1]++;
        int unit = 0;
        for (int group = 1; group <= groups; group++)
        {
            unit = (int)BigInteger.GreatestCommonDivisor(unit, next[group]);
            next[group] += next[group - 1];
        }
        for (int column = 0; column < groupOf.Length; column++)
            order[next[groupOf[column]]++] = column;
        return unit;
    }

    /// <summary>Makes the blocks of <see cref="Storage"/>.</summary>
    /// <param name="to">Receives <c>[out, in]</c> in that format, columns in <see cref="Order"/>.</param>
    public readonly void ToBlocks(byte* to) => Run(Storage!.Value, to);

    /// <summary>Widens to singles.</summary>
    /// <param name="to">Receives <c>[out, in]</c>.</param>
    public readonly void ToSingles(float* to) => Run(DType.F32, (byte*)to);

    private readonly void Run(DType type, byte* to)
    {
        PackedIntegers work = this;
        work._to = to;
        work._type = type;
        ComputePool.Run(&Part, &work, (Out + Tile - 1) / Tile);
    }

    private static void Part(void* context, int part) => ((PackedIntegers*)context)->Rows(part * Tile);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Rows(int first)
    {
        int rows = Math.Min(Tile, Out - first), block = _type == DType.F32 ? Math.Min(128, In) : _type.BlockSize();
        byte* codes = stackalloc byte[Tile * 128];
        for (int column = 0; column < In; column += block)
        {
            int columns = Math.Min(block, In - column);
            for (int i = 0; i < columns; i++)
            {
                int from = ColumnAt(column + i);
                for (int r = 0; r < rows; r++)
                    codes[r * 128 + i] = (byte)Code(from, first + r);
            }
            for (int r = 0; r < rows; r++)
                Store(first + r, column, columns, codes + r * 128);
        }
    }

    private readonly void Store(int row, int column, int columns, byte* codes)
    {
        if (_type == DType.F32)
        {
            float* y = (float*)_to + (long)row * In + column;
            for (int i = 0; i < columns; i++)
            {
                int group = GroupAt(column + i);
                y[i] = F16.ToSingle(Scales[(long)group * Out + row]) * (codes[i] - Zero(group, row));
            }
            return;
        }
        byte* block = _to + ((long)row * In + column) / columns * _type.BlockBytes();
        int of = GroupAt(column);
        ((ushort*)block)[0] = Scales[(long)of * Out + row];
        ((ushort*)block)[1] = (ushort)Zero(of, row);
        block += 4;
        if (_type == DType.U8G32)
        {
            Buffer.MemoryCopy(codes, block, 32, 32);
            return;
        }
        for (int i = 0; i < columns; i += 32, codes += 32, block += 16)
        {
            for (int j = 0; j < 16; j++)
                block[j] = (byte)(codes[j] | codes[16 + j] << 4);
        }
    }

    /// <summary>The column at a place of a row that is written; singles keep their places.</summary>
    private readonly int ColumnAt(int place) => Order != null && _type != DType.F32 ? Order[place] : place;

    private readonly int GroupAt(int place) => GroupOf != null ? GroupOf[ColumnAt(place)] : place / Group;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly uint Code(int column, int row)
    {
        if (Awq)
            return Nibble(Weights[(long)column * (Out / 8) + row / 8], row);
        int bit = column * Bits, shift = bit & 31;
        uint* word = Weights + (long)(bit >> 5) * Out + row;
        // a code of three bits may cross into the next word
        uint code = word[0] >> shift;
        if (shift + Bits > 32)
            code |= word[Out] << 32 - shift;
        return code & (1u << Bits) - 1;
    }

    private readonly int Zero(int group, int row)
    {
        if (Awq)
            return (int)Nibble(Zeros[(long)group * (Out / 8) + row / 8], row) + ZeroShift;
        int bit = row * Bits, shift = bit & 31;
        uint* word = Zeros + (long)group * (Out * Bits / 32) + (bit >> 5);
        uint zero = word[0] >> shift;
        if (shift + Bits > 32)
            zero |= word[1] << 32 - shift;
        return (int)(zero & (1u << Bits) - 1) + ZeroShift;
    }

    // even columns of eight lie in the lower half of a word, odd ones in the upper
    private static uint Nibble(uint word, int column) => word >> 4 * ((column % 8 >> 1) + (column % 2 << 2)) & 15;
}
