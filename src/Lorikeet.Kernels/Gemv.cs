using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using unsafe Rows = delegate*<byte*, nint, int, float*, nint, int, float*, nint, void>;

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
    private const long SerialBytes = 48 * 1024;

    /// <summary>Bytes of weights that stay in the first cache while several groups of rows meet them.</summary>
    private const int ChunkBytes = 16 * 1024;

    private static readonly nint[] Wide512 = Build<Vector512<float>, Lanes512>();
    private static readonly nint[] Wide256 = Build<Vector256<float>, Lanes256>();
    private static readonly nint[] Wide128 = Build<Vector128<float>, Lanes128>();

    private GemmCall _call;
    private KernelTier _tier;
    private int _parts;

    /// <summary>True where <see cref="Run"/> does the product better than tiles: few rows, and weights whose terms lie side by side.</summary>
    public static bool Fits(in GemmCall call) => call.M <= MaxRows && !call.B.Transposed && (call.K2 == 0 || !call.B2.Transposed);

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
        gemv->Columns((int)((long)n * part / parts), (int)((long)n * (part + 1) / parts));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization), SkipLocalsInit]
    private readonly void Columns(int begin, int end)
    {
        int m = _call.M, k = _call.K, k2 = _call.K2;
        long rowBytes = Math.Max(1, (long)k / _call.B.Type.BlockSize() * _call.B.Type.BlockBytes());
        int chunk = (int)Math.Clamp(ChunkBytes / rowBytes, 1, 256);
        float* scratch = GemmScratch.Rent((long)m * (k + k2 + 2 * chunk) + Math.Max(k, k2));
        float* sums = scratch, sums2 = sums + m * chunk;
        float* gathered = sums2 + m * chunk, gathered2 = gathered + (nint)m * k, unpacked = gathered2 + (nint)m * k2;
        float* x = Activations(_call.A, m, k, gathered, out nint xStep);
        float* x2 = Activations(_call.A2, m, k2, gathered2, out nint xStep2);
        for (int j = begin; j < end; j += chunk)
        {
            int count = Math.Min(chunk, end - j);
            Dots(_call.B, j, count, x, xStep, k, sums, unpacked);
            if (k2 > 0)
                Dots(_call.B2, j, count, x2, xStep2, k2, sums2, unpacked);
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
                BlockFormats.Dequantize(a.Type, a.Row(i), 0, k, copy + (nint)i * k);
                continue;
            }
            for (int p = 0; p < k; p++)
            {
                if (a.Type == DType.F32)
                    copy[(nint)i * k + p] = ((float*)a.Row(p))[i];
                else
                    BlockFormats.Dequantize(a.Type, a.Row(p), i, 1, copy + (nint)i * k + p);
            }
        }
        return copy;
    }

    /// <summary><c>sums[i * count + j]</c> of stored rows <c>first + j</c> and activations i.</summary>
    private readonly void Dots(in GemmOperand b, int first, int count, float* x, nint xStep, int k, float* sums, float* unpacked)
    {
        int m = _call.M;
        if (k == 0)
        {
            new Span<float>(sums, m * count).Clear();
            return;
        }
        (nint[] table, int group) = _tier switch
        {
            KernelTier.Vector512 => (Wide512, 8),
            KernelTier.Vector256 => (Wide256, 4),
            _ => (Wide128, 4),
        };
        int source = b.Type switch { DType.BF16 => 1, DType.F16 => 2, _ => 0 };
        bool direct = source > 0 || b.Type == DType.F32;
        nint rowBytes = (nint)(b.Row(1) - b.Row(0));
        for (int j = 0; j < count; j += direct ? count : 1)
        {
            byte* rows = b.Row(first + j);
            if (!direct)
            {
                BlockFormats.Dequantize(b.Type, rows, 0, k, unpacked);
                rows = (byte*)unpacked;
            }
            for (int i = 0; i < m; i += group)
            {
                var run = (Rows)table[source * MaxRows + Math.Min(group, m - i) - 1];
                run(rows, rowBytes, direct ? count : 1, x + i * xStep, xStep, k, sums + i * count + j, count);
            }
        }
    }

    private static nint[] Build<TVector, TLanes>()
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        => [.. Build<TVector, TLanes, F32Source>(), .. Build<TVector, TLanes, BF16Source>(), .. Build<TVector, TLanes, F16Source>()];

    private static nint[] Build<TVector, TLanes, TSource>()
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        where TSource : struct, IGemmSource
    {
        Rows one = &GemvRows<TVector, TLanes, TSource, Size1>.Run, two = &GemvRows<TVector, TLanes, TSource, Size2>.Run;
        Rows three = &GemvRows<TVector, TLanes, TSource, Size3>.Run, four = &GemvRows<TVector, TLanes, TSource, Size4>.Run;
        Rows five = &GemvRows<TVector, TLanes, TSource, Size5>.Run, six = &GemvRows<TVector, TLanes, TSource, Size6>.Run;
        Rows seven = &GemvRows<TVector, TLanes, TSource, Size7>.Run, eight = &GemvRows<TVector, TLanes, TSource, Size8>.Run;
        return [(nint)one, (nint)two, (nint)three, (nint)four, (nint)five, (nint)six, (nint)seven, (nint)eight];
    }
}
