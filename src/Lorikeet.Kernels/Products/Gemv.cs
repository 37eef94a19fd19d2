using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Products with a few rows of activations: generating text. Their cost is reading the weights, so each is read once, as it is stored, by one
/// thread in the order of memory, and met by all rows.
/// </summary>
internal unsafe struct Gemv
{
    /// <summary>More rows than this are worth packing for.</summary>
    public const int MaxRows = 8;

    /// <summary>Bytes of weights for which waking another thread does not pay.</summary>
    private const long SerialBytes = 64 * 1024;

    /// <summary>Bytes of stored rows that stay in the first cache while several groups of activations meet them.</summary>
    private const int ChunkBytes = 16 * 1024;

    /// <summary>Columns of a weight stored <c>[k, n]</c> that are summed at a time.</summary>
    private const int ChunkColumns = 1024;

    private GemmCall _call;
    private KernelTier _tier;
    private int _parts;

    /// <summary>True where <see cref="Run"/> does the product better than tiles. These read a weight stored <c>[k, n]</c> where it lies, if it is f32.</summary>
    public static bool Fits(in GemmCall call) => call.M <= MaxRows && (!call.B.Transposed || call.B.Type != DType.F32 || call.M < 4);

    /// <summary>Runs a product that <see cref="Fits"/>.</summary>
    public static void Run(in GemmCall call, KernelTier tier)
    {
        if (call.M <= 0 || call.N <= 0)
            return;
        Gemv gemv = new() { _call = call, _tier = tier };
        long bytes = (long)call.N * call.K / call.B.Type.BlockSize() * call.B.Type.BlockBytes();
        int threads = ComputePool.Threads;
        gemv._parts = threads == 1 ? 1 : (int)Math.Clamp(bytes / SerialBytes, 1, Math.Min(4 * threads, call.N));
        ComputePool.Run(&Part, &gemv, gemv._parts);
    }

    private static void Part(void* context, int part)
    {
        var gemv = (Gemv*)context;
        int n = gemv->_call.N, parts = gemv->_parts;
        // cut between cache lines of C; whole blocks of a weight stored [k, n] follow by themselves or are unpacked twice
        int begin = (int)((long)n * part / parts) & ~15, end = part == parts - 1 ? n : (int)((long)n * (part + 1) / parts) & ~15;
        if (begin < end)
            gemv->Columns(begin, end);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization), SkipLocalsInit]
    private readonly void Columns(int begin, int end)
    {
        int m = _call.M, k = _call.K, k2 = _call.K2;
        long rowBytes = Math.Max(1, (long)k / _call.B.Type.BlockSize() * _call.B.Type.BlockBytes());
        int chunk = _call.B.Transposed ? ChunkColumns : (int)Math.Clamp(ChunkBytes / rowBytes, 1, 256);
        int unpackedFloats = Math.Max(Math.Max(k, k2), MaxRows * chunk);
        float* sums = GemmScratch.Rent((long)m * (k + k2 + 2 * chunk) + unpackedFloats), sums2 = sums + m * chunk;
        float* gathered = sums2 + m * chunk, gathered2 = gathered + (nint)m * k, unpacked = gathered2 + (nint)m * k2;
        float* x = Activations(_call.A, m, k, gathered, out nint xStep);
        float* x2 = Activations(_call.A2, m, k2, gathered2, out nint xStep2);
        for (int j = begin; j < end; j += chunk)
        {
            int count = Math.Min(chunk, end - j);
            Sums(_call.B, j, count, x, xStep, k, sums, unpacked);
            if (k2 > 0)
                Sums(_call.B2, j, count, x2, xStep2, k2, sums2, unpacked);
            for (int i = 0; i < m; i++)
            {
                float* c = _call.C + i * _call.StrideC + j, first = sums + i * count, second = sums2 + i * count;
                for (int q = 0; q < count; q++)
                {
                    float value = _call.Alpha * first[q];
                    if (k2 > 0)
                        value += _call.Alpha2 * second[q];
                    if (_call.Accumulate)
                        value += c[q];
                    if (_call.Bias != null)
                        value += _call.Bias[j + q];
                    c[q] = value;
                }
            }
        }
    }

    /// <summary>The rows as singles with their terms side by side: where they lie, or copied.</summary>
    private static float* Activations(in GemmOperand a, int m, int k, float* copy, out nint step)
    {
        if (k == 0 || a is { Type: DType.F32, Transposed: false })
        {
            step = (nint)a.Stride;
            return (float*)a.Data;
        }
        step = k;
        for (int i = 0; i < m; i++)
        {
            if (!a.Transposed)
            {
                a.Read(i, 0, k, copy + (nint)i * k);
                continue;
            }
            for (int p = 0; p < k; p++)
            {
                if (a.Type == DType.F32)
                    copy[(nint)i * k + p] = ((float*)a.Row(p))[i];
                else
                    a.Read(p, i, 1, copy + (nint)i * k + p);
            }
        }
        return copy;
    }

    /// <summary><c>sums[i * count + j]</c> of activations i and columns <c>first + j</c> of the result.</summary>
    private readonly void Sums(in GemmOperand b, int first, int count, float* x, nint xStep, int k, float* sums, float* unpacked)
    {
        if (b.Transposed || k == 0)
            new Span<float>(sums, _call.M * count).Clear();
        if (b.Transposed)
            AddRows(b, first, count, x, xStep, k, sums, unpacked);
        else if (k > 0)
            Dots(b, first, count, x, xStep, k, sums, unpacked);
    }

    private readonly void Dots(in GemmOperand b, int first, int count, float* x, nint xStep, int k, float* sums, float* unpacked)
    {
        GemvKernels kernels = GemvKernels.Of(_tier);
        bool direct = GemvKernels.Reads(b.Type);
        nint rowBytes = (nint)(b.Row(1) - b.Row(0));
        for (int j = 0; j < count; j += direct ? count : 1)
        {
            if (!direct)
                b.Read(first + j, 0, k, unpacked);
            byte* rows = direct ? b.Row(first + j) : (byte*)unpacked;
            for (int i = 0; i < _call.M; i += kernels.Group)
                kernels.Dots(b.Type, Math.Min(kernels.Group, _call.M - i))(rows, rowBytes, direct ? count : 1, x + i * xStep, xStep, k, sums + i * count + j, count);
        }
    }

    private readonly void AddRows(in GemmOperand b, int first, int count, float* x, nint xStep, int k, float* sums, float* unpacked)
    {
        GemvKernels kernels = GemvKernels.Of(_tier);
        bool direct = GemvKernels.Reads(b.Type);
        nint rowBytes = direct ? (nint)(b.Row(1) - b.Row(0)) : (nint)count * sizeof(float);
        for (int p = 0; p < k; p += MaxRows)
        {
            int rows = Math.Min(MaxRows, k - p);
            byte* from = direct ? b.Row(p) + (long)first * b.Type.BlockBytes() : (byte*)unpacked;
            for (int q = 0; q < rows && !direct; q++)
                b.Read(p + q, first, count, unpacked + (nint)q * count);
            for (int i = 0; i < _call.M; i++)
                kernels.AddRows(b.Type, rows)(from, rowBytes, count, x + i * xStep + p, sums + (nint)i * count);
        }
    }
}
