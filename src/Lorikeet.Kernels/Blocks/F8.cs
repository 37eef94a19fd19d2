using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>The three 8-bit floats, each read through a table of 256 singles.</summary>
internal static unsafe class F8
{
    private static readonly float[] TableE4M3 = Table(E4M3);
    private static readonly float[] TableE5M2 = Table(code => F16.ToSingle((ushort)(code << 8)));
    private static readonly float[] TableE8M0 = Table(code => code == 255 ? float.NaN : (float)Math.ScaleB(1.0, code - 127));

    /// <summary>Four exponent bits with bias 7, no infinities, NaN at all ones (OCP "E4M3FN").</summary>
    public static void WidenE4M3(byte* x, long count, float* y) => Widen(TableE4M3, x, count, y);

    /// <summary>Five exponent bits: the upper byte of a half.</summary>
    public static void WidenE5M2(byte* x, long count, float* y) => Widen(TableE5M2, x, count, y);

    /// <summary>A power of two, <c>2^(code - 127)</c>; NaN at all ones.</summary>
    public static void WidenE8M0(byte* x, long count, float* y) => Widen(TableE8M0, x, count, y);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(float[] table, byte* x, long count, float* y)
    {
        fixed (float* values = table)
            for (long i = 0; i < count; i++)
                y[i] = values[x[i]];
    }

    private static float[] Table(Func<int, float> value) => [.. Enumerable.Range(0, 256).Select(value)];

    private static float E4M3(int code)
    {
        int exponent = code >> 3 & 15, mantissa = code & 7;
        double magnitude = exponent == 15 && mantissa == 7 ? double.NaN
            : exponent == 0 ? Math.ScaleB(mantissa, -9)
            : Math.ScaleB(8 + mantissa, exponent - 10);
        return (float)(code < 128 ? magnitude : -magnitude);
    }
}
