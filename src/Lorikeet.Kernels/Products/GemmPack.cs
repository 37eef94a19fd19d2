using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// Copies factors of a product into panels: for each k, the values of a panel's rows side by side, in the order in which a tile reads them.
/// Widening, unpacking and scaling happen on the way.
/// </summary>
internal static unsafe class GemmPack
{
    /// <summary>How far ahead rows are fetched into the second cache: they are more than the processor follows by itself.</summary>
    private const int FetchAhead = 256;

    /// <summary>Most rows of one panel.</summary>
    public const int MaxWidth = 32;

    /// <summary>Floats behind a panel that packing may overwrite with rubbish.</summary>
    public const int Slack = 8;

    /// <summary>Floats of scratch that <see cref="Panels"/> needs.</summary>
    public static int ScratchFloats(in GemmOperand x, int rows, int k) => IsDirect(x.Type) ? 0
        : x.Transposed ? rows + 2 * x.Type.BlockSize()
        : MaxWidth * k;

    /// <summary>
    /// Packs rows <c>row .. row + rows - 1</c> and sums' terms <c>first .. first + k - 1</c> in panels of <paramref name="width"/> rows:
    /// <c>to[panel * panelStep + p * width + r] = scale * x(row + panel * width + r, first + p)</c>. The columns of a last, narrower panel that
    /// belong to no row hold finite values that nothing depends on. <paramref name="wide"/>: turn by registers of eight (AVX2), not of four.
    /// </summary>
    public static void Panels(in GemmOperand x, long row, int rows, long first, int k, float scale, float* to, int width, nint panelStep, bool wide, float* scratch)
    {
        if (rows == 0 || k == 0)
            return;
        // tiles multiply all columns of a panel: what memory held before may be denormal, which takes a hundred times as long
        if (rows % width != 0)
            new Span<float>(to + rows / width * panelStep, k * width).Clear();
        if (!IsDirect(x.Type))
        {
            if (x.Transposed)
                SpreadRows(x, row, rows, first, k, scale, to, width, panelStep, scratch);
            else
                UnpackRows(x, row, rows, first, k, scale, to, width, panelStep, wide, scratch);
            return;
        }
        // where memory holds [k, rows], all panels of a few of its rows before the next: panels may share lines, and surely share pages
        int chunk = x.Transposed ? Math.Min(k, 32) : k;
        nint stride = (nint)(x.Stride * x.Type.BlockBytes());
        for (int p = 0; p < k; p += chunk)
        {
            int terms = Math.Min(chunk, k - p);
            float* panel = to + (nint)p * width;
            for (int r = 0; r < rows; r += width, panel += panelStep)
            {
                int count = Math.Min(width, rows - r);
                byte* from = x.Transposed ? x.Row(first + p) + (row + r) * x.Type.BlockBytes() : x.Row(row + r) + first * x.Type.BlockBytes();
                if (x.Type == DType.F32)
                    Panel<F32Source>(from, stride, x.Transposed, count, terms, scale, panel, width, wide);
                else if (x.Type == DType.BF16)
                    Panel<BF16Source>(from, stride, x.Transposed, count, terms, scale, panel, width, wide);
                else
                    Panel<F16Source>(from, stride, x.Transposed, count, terms, scale, panel, width, wide);
            }
        }
    }

    /// <summary>Widens and scales terms <c>first .. first + k - 1</c> of a row that is not transposed.</summary>
    public static void Row(in GemmOperand x, long row, long first, int k, float scale, float* to)
    {
        x.Read(row, first, k, to);
        for (int p = 0; scale != 1 && p < k; p++)
            to[p] *= scale;
    }

    /// <summary>True of types that are widened in registers; all others are unpacked first.</summary>
    public static bool IsDirect(DType type) => type is DType.F32 or DType.BF16 or DType.F16;

    private static void Panel<TSource>(byte* from, nint stride, bool transposed, int rows, int k, float scale, float* to, int width, bool wide)
        where TSource : struct, IGemmSource
    {
        if (transposed)
            Copy<TSource>(from, stride, rows, k, scale, to, width);
        else if (wide)
            Turn8<TSource>(from, stride, rows, k, scale, to, width);
        else
            Turn4<TSource>(from, stride, rows, k, scale, to, width);
    }

    /// <summary>Block formats by whole rows: unpack a panel's rows, then turn them.</summary>
    private static void UnpackRows(in GemmOperand x, long row, int rows, long first, int k, float scale, float* to, int width, nint panelStep, bool wide, float* scratch)
    {
        for (int r = 0; r < rows; r += width, to += panelStep)
        {
            int count = Math.Min(width, rows - r);
            for (int i = 0; i < count; i++)
                x.Read(row + r + i, first, k, scratch + (nint)i * k);
            Panel<F32Source>((byte*)scratch, (nint)k * sizeof(float), false, count, k, scale, to, width, wide);
        }
    }

    /// <summary>Block formats stored <c>[k, rows]</c>: unpack each row of memory once for all panels.</summary>
    private static void SpreadRows(in GemmOperand x, long row, int rows, long first, int k, float scale, float* to, int width, nint panelStep, float* scratch)
    {
        int block = x.Type.BlockSize();
        long begin = row / block * block;
        int skip = (int)(row - begin);
        for (int p = 0; p < k; p++)
        {
            x.Read(first + p, begin, skip + rows, scratch);
            float* panel = to + (nint)p * width;
            for (int r = 0; r < rows; r += width, panel += panelStep)
                Copy<F32Source>((byte*)(scratch + skip + r), 0, Math.Min(width, rows - r), 1, scale, panel, width);
        }
    }

    /// <summary>Memory holds <c>[k, rows]</c>: rows are already side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy<TSource>(byte* from, nint stride, int rows, int k, float scale, float* to, int width)
        where TSource : struct, IGemmSource
    {
        if (rows < 4)
        {
            for (; k > 0; k--, from += stride, to += width)
            {
                for (int r = 0; r < rows; r++)
                    to[r] = TSource.Load(from + r * TSource.Bytes) * scale;
            }
            return;
        }
        int last4 = rows - 4;
        if (!Vector256.IsHardwareAccelerated || rows < 8)
        {
            Vector128<float> by4 = Vector128.Create(scale);
            for (; k > 0; k--, from += stride, to += width)
            {
                for (int r = 0; r < last4; r += 4)
                    (TSource.Load<Vector128<float>, Lanes128>(from + r * TSource.Bytes) * by4).Store(to + r);
                (TSource.Load<Vector128<float>, Lanes128>(from + last4 * TSource.Bytes) * by4).Store(to + last4);
            }
            return;
        }
        int last8 = rows - 8;
        Vector256<float> by8 = Vector256.Create(scale);
        for (; k > 0; k--, from += stride, to += width)
        {
            // the same row of the panel after next: so many rows at once are more than the processor follows by itself
            if (Sse.IsSupported)
            {
                Sse.Prefetch1(from + FetchAhead);
                Sse.Prefetch1(from + FetchAhead + 64);
            }
            for (int r = 0; r < last8; r += 8)
                (TSource.Load<Vector256<float>, Lanes256>(from + r * TSource.Bytes) * by8).Store(to + r);
            (TSource.Load<Vector256<float>, Lanes256>(from + last8 * TSource.Bytes) * by8).Store(to + last8);
        }
    }

    /// <summary>Memory holds <c>[rows, k]</c>: squares of 8 × 8 are turned in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn8<TSource>(byte* from, nint stride, int rows, int k, float scale, float* to, int width)
        where TSource : struct, IGemmSource
    {
        byte** row = stackalloc byte*[MaxWidth];
        for (int r = 0; r < MaxWidth; r++)
            row[r] = from + Math.Min(r, rows - 1) * stride;
        Vector256<float> by = Vector256.Create(scale);
        int group = (rows - 1) & ~7;
        nint at = 0;
        // from the last group to the first: where a panel is narrower than its groups, the next group down repairs what this one spilt.
        // Two squares at a time, so that a line of memory is used up while it is near: rows a power of two apart evict each other.
        for (; k >= 16; k -= 16)
        {
            for (int g = group; g >= 0; g -= 8)
            {
                if (Sse.IsSupported)
                {
                    for (int r = 0; r < 8; r++)
                        Sse.Prefetch1(row[g + r] + at + FetchAhead);
                }
                Turn8<TSource>(row + g, at, by, to + g, width);
                Turn8<TSource>(row + g, at + 8 * TSource.Bytes, by, to + 8 * width + g, width);
            }
            to += 16 * width;
            at += 16 * TSource.Bytes;
        }
        if (k >= 8)
        {
            for (int g = group; g >= 0; g -= 8)
                Turn8<TSource>(row + g, at, by, to + g, width);
            to += 8 * width;
            at += 8 * TSource.Bytes;
            k -= 8;
        }
        Turn1<TSource>(row, at, rows, k, scale, to, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn8<TSource>(byte** row, nint at, Vector256<float> by, float* to, int width)
        where TSource : struct, IGemmSource
        => Square.Turn(
            TSource.Load<Vector256<float>, Lanes256>(row[0] + at) * by, TSource.Load<Vector256<float>, Lanes256>(row[1] + at) * by,
            TSource.Load<Vector256<float>, Lanes256>(row[2] + at) * by, TSource.Load<Vector256<float>, Lanes256>(row[3] + at) * by,
            TSource.Load<Vector256<float>, Lanes256>(row[4] + at) * by, TSource.Load<Vector256<float>, Lanes256>(row[5] + at) * by,
            TSource.Load<Vector256<float>, Lanes256>(row[6] + at) * by, TSource.Load<Vector256<float>, Lanes256>(row[7] + at) * by,
            to, width);

    /// <summary>Memory holds <c>[rows, k]</c>: squares of 4 × 4 are turned in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn4<TSource>(byte* from, nint stride, int rows, int k, float scale, float* to, int width)
        where TSource : struct, IGemmSource
    {
        byte** row = stackalloc byte*[MaxWidth];
        for (int r = 0; r < MaxWidth; r++)
            row[r] = from + Math.Min(r, rows - 1) * stride;
        Vector128<float> by = Vector128.Create(scale);
        int group = (rows - 1) & ~3;
        nint at = 0;
        for (; k >= 4; k -= 4)
        {
            for (int g = group; g >= 0; g -= 4)
            {
                Vector128<float> r0 = TSource.Load<Vector128<float>, Lanes128>(row[g] + at) * by, r1 = TSource.Load<Vector128<float>, Lanes128>(row[g + 1] + at) * by;
                Vector128<float> r2 = TSource.Load<Vector128<float>, Lanes128>(row[g + 2] + at) * by, r3 = TSource.Load<Vector128<float>, Lanes128>(row[g + 3] + at) * by;
                Vector128<float> a0 = ZipLow(r0, r2), a1 = ZipHigh(r0, r2), a2 = ZipLow(r1, r3), a3 = ZipHigh(r1, r3);
                float* column = to + g;
                ZipLow(a0, a2).Store(column);
                ZipHigh(a0, a2).Store(column + width);
                ZipLow(a1, a3).Store(column + 2 * width);
                ZipHigh(a1, a3).Store(column + 3 * width);
            }
            to += 4 * width;
            at += 4 * TSource.Bytes;
        }
        Turn1<TSource>(row, at, rows, k, scale, to, width);
    }

    private static void Turn1<TSource>(byte** row, nint at, int rows, int k, float scale, float* to, int width)
        where TSource : struct, IGemmSource
    {
        for (; k > 0; k--, to += width, at += TSource.Bytes)
        {
            for (int r = 0; r < rows; r++)
                to[r] = TSource.Load(row[r] + at) * scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> ZipLow(Vector128<float> x, Vector128<float> y) =>
        Sse.IsSupported ? Sse.UnpackLow(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y)
        : Vector128.Create(x[0], y[0], x[1], y[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> ZipHigh(Vector128<float> x, Vector128<float> y) =>
        Sse.IsSupported ? Sse.UnpackHigh(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y)
        : Vector128.Create(x[2], y[2], x[3], y[3]);
}
