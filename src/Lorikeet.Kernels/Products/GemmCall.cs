namespace Lorikeet.Kernels;

/// <summary>
/// <c>C[i, j] = (accumulate ? C[i, j] : 0) + alpha * sum_p A(i, p) * B(j, p) + alpha2 * sum_q A2(i, q) * B2(j, q) + bias[j]</c>.
/// The second product (LoRA's) runs as more columns of k of the same tile. It is another pass over C only where the first one is in integers
/// (<see cref="GemmPrecision.Int8"/>) or has the columns of the result in another order (<see cref="GemmOperand.Order"/> of a transposed B).
/// </summary>
public unsafe struct GemmCall
{
    /// <summary>Rows of C.</summary>
    public int M;
    /// <summary>Columns of C.</summary>
    public int N;
    /// <summary>Length of the first product's sum.</summary>
    public int K;
    /// <summary><c>[m, k]</c>.</summary>
    public GemmOperand A;
    /// <summary><c>[n, k]</c>.</summary>
    public GemmOperand B;
    /// <summary>Factor of the first product.</summary>
    public float Alpha;
    /// <summary>Length of the second product's sum; 0 for none.</summary>
    public int K2;
    /// <summary><c>[m, k2]</c>.</summary>
    public GemmOperand A2;
    /// <summary><c>[n, k2]</c>.</summary>
    public GemmOperand B2;
    /// <summary>Factor of the second product.</summary>
    public float Alpha2;
    /// <summary>Result, row-major.</summary>
    public float* C;
    /// <summary>Elements from one row of C to the next.</summary>
    public long StrideC;
    /// <summary>Adds to what C holds.</summary>
    public bool Accumulate;
    /// <summary><c>[n]</c>, or null.</summary>
    public float* Bias;
    /// <summary>How far the factors may be rounded: not at all, unless said.</summary>
    public GemmPrecision Precision;
}
