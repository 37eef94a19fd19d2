using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>64 weights in 68 bytes: f32 magnitude <c>m</c> of their row, 64 signed codes. <c>w = q * m / 127</c>, as LLM.int8 (arXiv:2208.07339) reads them.</summary>
internal static unsafe class Int8Row
{
    /// <summary>Below it a quotient's remainder may be denormal, and inexact.</summary>
    private const float Small = 1e-30f;

    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        Vector512<float> divisor = Vector512.Create(127f), reciprocal = Vector512.Create(1 / 127f);
        for (; blocks > 0; blocks--, block += 68)
        {
            float magnitude = *(float*)block;
            Vector512<float> m = Vector512.Create(magnitude);
            bool divide = !(magnitude > Small);
            for (int i = 0; i < 64; i += 16, y += 16)
            {
                (Vector256<int> low, Vector256<int> high) = Vector256.Widen(Vector256.WidenLower(Vector128.Load((sbyte*)block + 4 + i).ToVector256()));
                Vector512<float> product = Vector512.ConvertToSingle(Vector512.Create(low, high)) * m;
                // the division by 127, correctly rounded, without a division: it is many times as slow
                Vector512<float> quotient = product * reciprocal;
                Vector512<float> corrected = Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(quotient, -divisor, product), reciprocal, quotient);
                (divide ? product / divisor : corrected).Store(y);
            }
        }
    }

    /// <summary>Packs one row of whole blocks.</summary>
    public static void Quantize(float* x, long blocks, byte* block) => Quantize(x, 1, checked((int)(64 * blocks)), block);

    /// <summary>
    /// Packs rows: <c>q = round(x * ((1 / m) * 127))</c>, ties to even, m the largest magnitude of the row; a row of zeros gives zeros.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize(float* x, int rows, int columns, byte* block)
    {
        for (; rows > 0; rows--)
        {
            float magnitude = 0;
            for (int i = 0; i < columns; i++)
                magnitude = MathF.Max(magnitude, MathF.Abs(x[i]));
            float scale = magnitude == 0 ? 0 : 1 / magnitude * 127;
            for (int i = 0; i < columns; i += 64, block += 68, x += 64)
            {
                *(float*)block = magnitude;
                for (int j = 0; j < 64; j++)
                    ((sbyte*)block)[4 + j] = (sbyte)MathF.Round(x[j] * scale);
            }
        }
    }
}
