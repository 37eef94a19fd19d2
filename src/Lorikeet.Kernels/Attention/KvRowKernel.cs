using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Writes rows into the pages of a cache, and reads them again.</summary>
public static unsafe class KvRowKernel
{
    /// <summary>Below it a quotient would overflow: such a row counts as zeros.</summary>
    internal const float Least = 1e-30f;

    /// <summary>
    /// Rounds rows to the storage of the pages. Integers: <c>code = round(x * (127 / m))</c>, ties to even, and <c>scale = m / 127</c>, m the largest
    /// magnitude of the head's row; a row that is not finite gets a scale that is NaN.
    /// </summary>
    public static void Write(in KvWriteCall call)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            KvReference.Write(call);
            return;
        }
        fixed (KvWriteCall* one = &call)
        {
            KvWriteJob job = new()
            {
                Call = one,
                PartRows = VectorJob.PartRows(call.Rows, (long)call.Layout.Heads * (call.Layout.KeyDim + call.Layout.ValueDim), VectorJob.Grain),
            };
            int parts = (call.Rows + job.PartRows - 1) / job.PartRows;
            if (parts == 1)
                KvWriteJob.Part(&job, 0);
            else if (parts > 1)
                ComputePool.Run(&KvWriteJob.Part, &job, parts);
        }
    }

    /// <summary>Widens one row of a layer: <c>[heads, keyDim]</c> and <c>[heads, valueDim]</c>.</summary>
    public static void Read(in KvLayout layout, byte** pages, int layer, int row, float* k, float* v)
    {
        AttentionCall call = new() { Pages = pages, Layout = layout, Layer = layer, HeadDim = layout.KeyDim, ValueDim = layout.ValueDim };
        for (int head = 0; head < layout.Heads; head++)
        {
            Widen(layout.Type, AttentionRows.Keys(call, head), row, 1, layout.KeyDim, k + (long)head * layout.KeyDim);
            Widen(layout.Type, AttentionRows.Values(call, head), row, 1, layout.ValueDim, v + (long)head * layout.ValueDim);
        }
    }

    /// <summary>Widens rows of one page, dense.</summary>
    internal static void Widen(DType type, in AttentionRows rows, int row, int count, int dim, float* to)
    {
        byte* from = rows.At(row, out _);
        if (type != DType.I8)
        {
            BlockFormats.Dequantize(type, from, 0, (long)count * dim, to);
            return;
        }
        float* scales = rows.Scales(row);
        for (int r = 0; r < count; r++, from += dim, to += dim)
            Widen((sbyte*)from, scales[r], dim, to);
    }

    /// <summary>Rounds one row of a head to integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Narrow(float* x, int dim, sbyte* codes, float* scale)
    {
        // magnitudes compare as integers too, and so a NaN counts as the largest of all
        Vector256<int> sign = Vector256.Create(int.MaxValue), most = Vector256<int>.Zero;
        int i = 0;
        for (; i <= dim - 8; i += 8)
            most = Vector256.Max(most, Vector256.Load(x + i).AsInt32() & sign);
        int bits = 0;
        for (int lane = 0; lane < 8; lane++)
            bits = Math.Max(bits, most[lane]);
        for (; i < dim; i++)
            bits = Math.Max(bits, BitConverter.SingleToInt32Bits(x[i]) & int.MaxValue);
        float magnitude = BitConverter.Int32BitsToSingle(bits);
        if (!(magnitude >= Least) || float.IsInfinity(magnitude))
        {
            new Span<sbyte>(codes, dim).Clear();
            *scale = magnitude < Least ? 0 : float.NaN;
            return;
        }
        *scale = magnitude / 127;
        float factor = 127 / magnitude;
        Vector256<float> by = Vector256.Create(factor);
        for (i = 0; i <= dim - 8; i += 8)
        {
            Vector256<int> code = Vector256.ConvertToInt32(Vector256.Round(Vector256.Load(x + i) * by));
            Vector128<short> words = Vector128.Narrow(code.GetLower(), code.GetUpper());
            *(long*)(codes + i) = Vector128.Narrow(words, words).AsInt64().ToScalar();
        }
        for (; i < dim; i++)
            codes[i] = (sbyte)MathF.Round(x[i] * factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(sbyte* codes, float scale, int dim, float* to)
    {
        Vector256<float> by = Vector256.Create(scale);
        int i = 0;
        for (; i <= dim - 8; i += 8)
        {
            Vector128<short> words = Vector128.WidenLower(Vector128.CreateScalar(*(long*)(codes + i)).AsSByte());
            (Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words))) * by).Store(to + i);
        }
        for (; i < dim; i++)
            to[i] = codes[i] * scale;
    }
}
