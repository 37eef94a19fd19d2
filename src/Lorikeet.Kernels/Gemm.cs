namespace Lorikeet.Kernels;

/// <summary>
/// One factor of a product, seen as <c>[rows, k]</c>. Not transposed, element (i, p) lies at <c>i * Stride + p</c> (k contiguous: activations
/// <c>[tokens, in]</c>, weights <c>[out, in]</c>); transposed, at <c>p * Stride + i</c>.
/// </summary>
public unsafe struct GemmOperand
{
    /// <summary>First element.</summary>
    public void* Data;
    /// <summary>Storage type; anything but F32 is widened while packing.</summary>
    public DType Type;
    /// <summary>Elements from one row of memory to the next.</summary>
    public long Stride;
    /// <summary>True where memory holds <c>[k, rows]</c>.</summary>
    public bool Transposed;

    /// <summary>Names a matrix in memory.</summary>
    public GemmOperand(void* data, DType type, long stride, bool transposed = false)
    {
        Data = data;
        Type = type;
        Stride = stride;
        Transposed = transposed;
    }
}

/// <summary>
/// <c>C[i, j] = (accumulate ? C[i, j] : 0) + alpha * sum_p A(i, p) * B(j, p) + alpha2 * sum_q A2(i, q) * B2(j, q) + bias[j]</c>.
/// The second product (LoRA's) runs as more columns of k of the same tile, never as another pass over C.
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
}

/// <summary>Matrix products.</summary>
public static unsafe class Gemm
{
    /// <summary>Runs one product.</summary>
    public static void Run(in GemmCall call)
    {
        for (int i = 0; i < call.M; i++)
        {
            for (int j = 0; j < call.N; j++)
            {
                float sum = 0;
                for (int p = 0; p < call.K; p++)
                    sum += At(call.A, i, p) * At(call.B, j, p);
                sum *= call.Alpha;
                float second = 0;
                for (int p = 0; p < call.K2; p++)
                    second += At(call.A2, i, p) * At(call.B2, j, p);
                sum += call.Alpha2 * second + (call.Bias == null ? 0 : call.Bias[j]);
                float* c = call.C + i * call.StrideC + j;
                *c = call.Accumulate ? *c + sum : sum;
            }
        }
    }

    private static float At(in GemmOperand x, int i, int p)
    {
        long at = x.Transposed ? p * x.Stride + i : i * x.Stride + p;
        return x.Type switch
        {
            DType.F32 => ((float*)x.Data)[at],
            DType.BF16 => BitConverter.Int32BitsToSingle(((ushort*)x.Data)[at] << 16),
            DType.F16 => (float)((Half*)x.Data)[at],
            _ => throw new ArgumentException($"a product cannot read {x.Type}"),
        };
    }
}
