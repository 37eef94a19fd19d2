namespace Lorikeet.Kernels.Reference;

/// <summary>Matrix products by plain loops.</summary>
internal static unsafe class GemmReference
{
    /// <summary>See <see cref="Gemm.Run(in GemmCall)"/>; sums are kept in double.</summary>
    public static void Run(in GemmCall call)
    {
        if (call.Precision == GemmPrecision.Int8)
        {
            RunInt8(call);
            return;
        }
        bool narrow = call.Precision == GemmPrecision.BF16 && !Gemv.Fits(call);
        for (int i = 0; i < call.M; i++)
        {
            for (int j = 0; j < call.N; j++)
            {
                double first = 0, second = 0;
                for (int p = 0; p < call.K; p++)
                    first += narrow ? (double)Round(call.Alpha * At(call.A, i, p)) * Round(At(call.B, j, p)) : (double)At(call.A, i, p) * At(call.B, j, p);
                for (int p = 0; p < call.K2; p++)
                    second += narrow ? (double)Round(call.Alpha2 * At(call.A2, i, p)) * Round(At(call.B2, j, p)) : (double)At(call.A2, i, p) * At(call.B2, j, p);
                double sum = (narrow ? first + second : call.Alpha * first + call.Alpha2 * second) + (call.Bias == null ? 0 : call.Bias[j]);
                float* c = call.C + i * call.StrideC + j;
                *c = (float)(call.Accumulate ? *c + sum : sum);
            }
        }
    }

    /// <summary>Rows of A rounded to 8 bits in blocks of 32, or of 128 for weights whose rows have one scale; weights of any storage keep their value.</summary>
    private static void RunInt8(in GemmCall call)
    {
        int unit = call.B.Type == DType.Int8Row ? PanelLayout.RowTerms : QuantizedStrips.Terms;
        float[] rows = new float[Math.Max(1, call.M * call.K)];
        for (int i = 0; i < call.M; i++)
        {
            for (int p = 0; p < call.K; p += unit)
            {
                int end = Math.Min(call.K, p + unit);
                float greatest = 0;
                for (int q = p; q < end; q++)
                    greatest = MathF.Max(greatest, MathF.Abs(At(call.A, i, q)));
                (float factor, float scale) = QuantizedStrips.ScaleOf(greatest);
                for (int q = p; q < end; q++)
                    rows[i * call.K + q] = scale * MathF.Round(At(call.A, i, q) * factor, MidpointRounding.ToEven);
            }
        }
        fixed (float* a = rows)
        {
            GemmCall rounded = call;
            rounded.A = new GemmOperand(a, DType.F32, call.K);
            rounded.Precision = GemmPrecision.Single;
            Run(rounded);
        }
    }

    private static float Round(float value) => BF16.ToSingle(BF16.FromSingle(value));

    private static float At(in GemmOperand x, long i, long p)
    {
        (long row, long column) = x.Transposed ? (p, i) : (i, p);
        long at = row * x.Stride + column;
        switch (x.Type)
        {
            case DType.F32:
                return ((float*)x.Data)[at];
            case DType.BF16:
                return BF16.ToSingle(((ushort*)x.Data)[at]);
            case DType.F16:
                return F16.ToSingle(((ushort*)x.Data)[at]);
            default:
                float value;
                x.Read(row, column, 1, &value);
                return value;
        }
    }
}
