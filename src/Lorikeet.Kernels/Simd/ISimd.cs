using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// What a kernel asks of a vector width. Kernels are written once, generic over a width struct; the JIT makes one machine-code version for each.
/// <typeparamref name="V"/> holds <see cref="Count"/> floats, <typeparamref name="D"/> the doubles that their sums are taken in.
/// </summary>
internal unsafe interface ISimd<V, D>
    where V : unmanaged
    where D : unmanaged
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Count { get; }
    /// <summary>Reads a vector; no alignment needed.</summary>
    static abstract V Load(float* p);
    /// <summary>Reads as many bfloat16.</summary>
    static abstract V LoadBF16(ushort* p);
    /// <summary>Reads as many signed bytes.</summary>
    static abstract V LoadI8(sbyte* p);
    /// <summary>Writes a vector.</summary>
    static abstract void Store(float* p, V x);
    /// <summary>The same number in all lanes.</summary>
    static abstract V Create(float x);
    /// <summary>Sum.</summary>
    static abstract V Add(V a, V b);
    /// <summary>Difference.</summary>
    static abstract V Sub(V a, V b);
    /// <summary>Product.</summary>
    static abstract V Mul(V a, V b);
    /// <summary>Quotient.</summary>
    static abstract V Div(V a, V b);
    /// <summary><c>a * b + c</c>, rounded once where the processor can.</summary>
    static abstract V Fma(V a, V b, V c);
    /// <summary><c>c - a * b</c>, rounded once where the processor can.</summary>
    static abstract V Fnma(V a, V b, V c);
    /// <summary>Lesser; on x64 the second where either is NaN.</summary>
    static abstract V Min(V a, V b);
    /// <summary>Greater; on x64 the second where either is NaN.</summary>
    static abstract V Max(V a, V b);
    /// <summary>Magnitude.</summary>
    static abstract V Abs(V x);
    /// <summary>Square root.</summary>
    static abstract V Sqrt(V x);
    /// <summary>Nearest whole number, ties to even.</summary>
    static abstract V Round(V x);
    /// <summary>All bits set in the lanes where <c>a &lt; b</c>.</summary>
    static abstract V Less(V a, V b);
    /// <summary>a where the mask is set, else b.</summary>
    static abstract V Select(V mask, V a, V b);
    /// <summary>True where <c>a &lt; b</c> in every lane (a NaN makes it false).</summary>
    static abstract bool AllLess(V a, V b);
    /// <summary>Sum of the lanes.</summary>
    static abstract float Sum(V x);
    /// <summary>Sums of the lanes of four vectors.</summary>
    static abstract Vector128<float> Sums(V a, V b, V c, V d);
    /// <summary>Greatest lane.</summary>
    static abstract float Largest(V x);
    /// <summary><c>x * 2^n</c> for whole n in -252 … 254, denormal results rounded.</summary>
    static abstract V Pow2Scale(V x, V n);
    /// <summary>Double zeros.</summary>
    static abstract D ZeroWide();
    /// <summary>Sum of doubles.</summary>
    static abstract D AddWide(D a, D b);
    /// <summary>Adds the floats of x to the doubles, lane pairs together.</summary>
    static abstract D AddWide(D sum, V x);
    /// <summary>Adds the products, formed in double.</summary>
    static abstract D FmaWide(V a, V b, D sum);
    /// <summary>Sum of the double lanes.</summary>
    static abstract double SumWide(D x);
    /// <summary>Exchanges lanes 2i and 2i + 1.</summary>
    static abstract V SwapPairs(V x);
    /// <summary>Reads half a vector and repeats each element: a, a, b, b, ….</summary>
    static abstract V LoadPaired(float* p);
    /// <summary>-1, 1, -1, 1, ….</summary>
    static abstract V PairSigns();
    /// <summary>Numbers in [0, 1) from the upper 24 bits of random words.</summary>
    static abstract V LoadUnit(uint* p);
}
