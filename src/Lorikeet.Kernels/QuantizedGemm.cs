using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>
/// Products of activations, rounded to 8 bits in blocks of 32, with weights whose stored codes are multiplied as integers. Every weight is read as it
/// is stored, once for each group of eight rows of activations and from the first cache for all groups but the first. A dot depends on its two rows
/// alone, so a result is the same bits for any number of rows and threads.
/// </summary>
internal unsafe struct QuantizedGemm
{
    /// <summary>With more rows, unpacking weights for tiles pays.</summary>
    internal const int MaxRows = 24;

    /// <summary>Bytes of weights for which waking another thread does not pay.</summary>
    private const long SerialBytes = 16 * 1024;

    /// <summary>Bytes of stored rows that stay in the first cache while the groups of activations meet them.</summary>
    private const int ChunkBytes = 8 * 1024;

    private static readonly Lock Door = new();
    private static readonly nint[] Kernels = new nint[4 * QuantizedRows.MaxGroup];
    private static readonly byte[] Constants = MakeConstants();

    private GemmCall _call;
    private QuantizedRows _rows;
    private int _parts;

    /// <summary>True where the weights are of a kind that the tier has kernels for.</summary>
    public static bool Fits(in GemmCall call, KernelTier tier) =>
        tier == KernelTier.Assembled512 && ProcessorFeatures.Avx512Vnni && Index(call.B.Type) >= 0 && !call.B.Transposed
        && call.K > 0 && call.K % call.B.Type.BlockSize() == 0;

    /// <summary>Runs a product that <see cref="Fits"/>. A second product follows in single precision.</summary>
    public static void Run(in GemmCall call, KernelTier tier)
    {
        if (call.M <= 0 || call.N <= 0)
            return;
        if (call.M > MaxRows)
            QuantizedPlan.Run(call);
        else
            RunFew(call);
        if (call.K2 == 0)
            return;
        GemmCall second = call;
        (second.A, second.B, second.K, second.Alpha, second.K2) = (call.A2, call.B2, call.K2, call.Alpha2, 0);
        second.Accumulate = true;
        second.Bias = null;
        second.Precision = GemmPrecision.Single;
        Gemm.Run(second, tier);
    }

    private static void RunFew(in GemmCall call)
    {
        QuantizedGemm gemm = new() { _call = call, _rows = QuantizedRows.Of(call.A, call.M, call.K, call.B.Type) };
        gemm._rows.Fill((byte*)GemmScratch.RentShared(gemm._rows.Floats));
        long bytes = call.B.Type.Bytes((long)call.N * call.K) * gemm._rows.Groups;
        int threads = ComputePool.Threads;
        gemm._parts = threads == 1 ? 1 : (int)Math.Clamp(bytes / SerialBytes, 1, Math.Min(4 * threads, (call.N + 15) / 16));
        ComputePool.Run(&Part, &gemm, gemm._parts);
    }

    private static void Part(void* context, int part)
    {
        var gemm = (QuantizedGemm*)context;
        int n = gemm->_call.N, parts = gemm->_parts;
        int begin = (int)((long)n * part / parts) & ~15, end = part == parts - 1 ? n : (int)((long)n * (part + 1) / parts) & ~15;
        if (begin < end)
            gemm->Columns(begin, end);
    }

    [SkipLocalsInit]
    private readonly void Columns(int begin, int end)
    {
        DType type = _call.B.Type;
        nint step = (nint)(_call.B.Row(1) - _call.B.Row(0));
        int chunk = (int)Math.Clamp(ChunkBytes / Math.Max(1, type.Bytes(_call.K)), 4, 256);
        float* sums = GemmScratch.Rent(QuantizedRows.MaxGroup * chunk);
        byte* constants = stackalloc byte[DotAssembler.RoomAt + 32 * QuantizedRows.MaxGroup];
        Constants.CopyTo(new Span<byte>(constants, DotAssembler.RoomAt));
        for (int j = begin; j < end; j += chunk)
        {
            int count = Math.Min(chunk, end - j);
            for (int group = 0; group < _rows.Groups; group++)
            {
                int first = _rows.First(group), rows = _rows.First(group + 1) - first;
                DotCall dots = new()
                {
                    Weights = _call.B.Row(j),
                    WeightStep = step,
                    Rows = count,
                    Blocks = _call.K / type.BlockSize(),
                    Codes = _rows.Codes(group),
                    Scales = _rows.Scales(group),
                    Totals = _rows.Totals(group),
                    Sums = sums,
                    SumsStep = count * sizeof(float),
                    Constants = constants,
                };
                ((delegate* unmanaged[SuppressGCTransition]<DotCall*, void>)Kernel(type, rows))(&dots);
                for (int i = 0; i < rows; i++)
                    Spread(sums + i * count, count, first + i, j);
            }
        }
    }

    private readonly void Spread(float* sums, int count, int row, int column)
    {
        float* c = _call.C + row * _call.StrideC + column;
        for (int q = 0; q < count; q++)
        {
            float value = _call.Alpha * sums[q];
            if (_call.Accumulate)
                value += c[q];
            if (_call.Bias != null)
                value += _call.Bias[column + q];
            c[q] = value;
        }
    }

    private static nint Kernel(DType type, int rows)
    {
        ref nint kernel = ref Kernels[Index(type) * QuantizedRows.MaxGroup + rows - 1];
        if (Volatile.Read(ref kernel) == 0)
        {
            lock (Door)
            {
                if (kernel == 0)
                    Volatile.Write(ref kernel, DotAssembler.Dots(type, rows).Publish());
            }
        }
        return kernel;
    }

    private static int Index(DType type) => type switch { DType.Q4_0 => 0, DType.Q8_0 => 1, DType.Q4_K => 2, DType.Q6_K => 3, _ => -1 };

    private static byte[] MakeConstants()
    {
        byte[] constants = new byte[DotAssembler.RoomAt];
        constants.AsSpan(DotAssembler.MaskAt, 32).Fill(0x0F);
        // the upper half of a Q4_0 block lies in the upper nibbles
        MemoryMarshal.Cast<byte, long>(constants.AsSpan(DotAssembler.ShiftAt + 16, 16)).Fill(4);
        constants.AsSpan(DotAssembler.FlipAt, 32).Fill(0x80);
        MemoryMarshal.Cast<byte, int>(constants.AsSpan(DotAssembler.SpreadAt + 16, 16)).Fill(1);
        constants.AsSpan(DotAssembler.PairAt, 32).Fill(0x30);
        constants.AsSpan(DotAssembler.PairAt + 32, 32).Fill(0x3F);
        return constants;
    }
}
