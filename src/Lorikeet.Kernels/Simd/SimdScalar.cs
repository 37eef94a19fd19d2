using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>One float: the tails of the wider ones, and processors without vectors. The same operations, so the same bits.</summary>
internal readonly unsafe struct SimdScalar : ISimd<float, double>
{
    /// <inheritdoc/>
    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* p) => *p;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadBF16(ushort* p) => BF16.ToSingle(*p);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadI8(sbyte* p) => *p;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* p, float x) => *p = x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Create(float x) => x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float a, float b) => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sub(float a, float b) => a - b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Mul(float a, float b) => a * b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Div(float a, float b) => a / b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fma(float a, float b, float c) => float.MultiplyAddEstimate(a, b, c);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fnma(float a, float b, float c) => float.MultiplyAddEstimate(-a, b, c);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Min(float a, float b) => float.MinNative(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(float a, float b) => float.MaxNative(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Abs(float x) => MathF.Abs(x);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sqrt(float x) => MathF.Sqrt(x);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Round(float x) => MathF.Round(x);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Less(float a, float b) => BitConverter.Int32BitsToSingle(a < b ? -1 : 0);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Select(float mask, float a, float b) => BitConverter.SingleToInt32Bits(mask) != 0 ? a : b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllLess(float a, float b) => a < b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(float x) => x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(float x) => x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ZeroWide() => 0;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double AddWide(double a, double b) => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double AddWide(double sum, float x) => sum + x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double FmaWide(float a, float b, double sum) => double.MultiplyAddEstimate(a, b, sum);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumWide(double x) => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Pow2Scale(float x, float n)
    {
        int exponent = float.ConvertToIntegerNative<int>(n);
        int first = exponent >> 1, second = exponent - first;
        return x * BitConverter.Int32BitsToSingle((first + 127) << 23) * BitConverter.Int32BitsToSingle((second + 127) << 23);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadUnit(uint* p) => Philox.Unit(*p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(float a, float b, float c, float d) => Vector128.Create(a, b, c, d);

    // a pair does not fit in one lane: callers handle pairs themselves when Count is 1
    public static float SwapPairs(float x) => throw new NotSupportedException();
    public static float LoadPaired(float* p) => throw new NotSupportedException();
    public static float PairSigns() => throw new NotSupportedException();
}
