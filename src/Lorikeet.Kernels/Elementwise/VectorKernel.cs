namespace Lorikeet.Kernels;

/// <summary>
/// Elementwise operations on vectors and rows, and sums over them. The last pointer is the one written to; it may be one of the inputs.
/// Sums of vectors are taken in double precision. All sums run in an order that depends on the sizes alone, never on the number of threads.
/// </summary>
public static unsafe class VectorKernel
{
    /// <summary><c>y = value</c>.</summary>
    public static void Fill(float value, float* y, long n) => RowJob<FillOp>.Run(null, null, null, y, value, n);

    /// <summary><c>y = x</c>; the two may not overlap.</summary>
    public static void Copy(float* x, float* y, long n) => RowJob<CopyOp>.Run(x, null, null, y, 0, n);

    /// <summary><c>y = a + b</c>.</summary>
    public static void Add(float* a, float* b, float* y, long n) => RowJob<AddOp>.Run(a, b, null, y, 0, n);

    /// <summary><c>y = a - b</c>.</summary>
    public static void Subtract(float* a, float* b, float* y, long n) => RowJob<SubtractOp>.Run(a, b, null, y, 0, n);

    /// <summary><c>y += x</c>.</summary>
    public static void AddTo(float* x, float* y, long n) => RowJob<AddOp>.Run(x, y, null, y, 0, n);

    /// <summary><c>y += s * x</c>.</summary>
    public static void Axpy(float s, float* x, float* y, long n) => RowJob<AxpyOp>.Run(x, y, null, y, s, n);

    /// <summary><c>y = s * x</c>.</summary>
    public static void Scale(float s, float* x, float* y, long n) => RowJob<ScaleOp>.Run(x, null, null, y, s, n);

    /// <summary><c>y = a * b</c>.</summary>
    public static void Mul(float* a, float* b, float* y, long n) => RowJob<MulOp>.Run(a, b, null, y, 0, n);

    /// <summary><c>y += a * b</c>.</summary>
    public static void MulAddTo(float* a, float* b, float* y, long n) => RowJob<MulAddOp>.Run(a, b, y, y, 0, n);

    /// <summary><c>y = a * b + c</c>.</summary>
    public static void MulAdd(float* a, float* b, float* c, float* y, long n) => RowJob<MulAddOp>.Run(a, b, c, y, 0, n);

    /// <summary>Sum of products, in double.</summary>
    public static double Dot(float* x, float* y, long n) => WideSumJob<ProductTerm>.Run(x, y, n);

    /// <summary>Sum of squares, in double.</summary>
    public static double SumSquares(float* x, long n) => WideSumJob<ProductTerm>.Run(x, x, n);

    /// <summary>Sum, in double.</summary>
    public static double Sum(float* x, long n) => WideSumJob<PlainTerm>.Run(x, x, n);

    /// <summary>Greatest magnitude; NaN if any element is.</summary>
    public static float MaxAbs(float* x, long n) => MaxAbsJob.Run(x, n, out _);

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    public static long FirstNonFinite(float* x, long n)
    {
        MaxAbsJob.Run(x, n, out long first);
        return first;
    }

    /// <summary><c>y[r] += s * x[r]</c> for <c>[rows, dim]</c>.</summary>
    public static void AxpyRows(float s, float* x, long ldx, float* y, long ldy, int rows, int dim)
        => RowJob<AxpyOp>.Run(x, ldx, y, ldy, null, 0, y, ldy, s, rows, dim);

    /// <summary><c>y[r] = x[r]</c> for <c>[rows, dim]</c>; the two may not overlap.</summary>
    public static void CopyRows(float* x, long ldx, float* y, long ldy, int rows, int dim)
        => RowJob<CopyOp>.Run(x, ldx, null, 0, null, 0, y, ldy, 0, rows, dim);

    /// <summary><c>x[r] += bias</c> for <c>[rows, dim]</c>.</summary>
    public static void AddBias(float* x, long ldx, float* bias, int rows, int dim)
        => RowJob<AddOp>.Run(x, ldx, bias, 0, null, 0, x, ldx, 0, rows, dim);

    /// <summary><c>sum[i] += sum_r x[r, i]</c>: the derivative of a bias.</summary>
    public static void AddRowsTo(float* x, long ldx, int rows, int dim, float* sum)
        => ColumnSumJob<ColumnPlain>.Run(x, ldx, null, 0, null, null, rows, dim, sum);

    /// <summary><c>y[r, i] = x[r, i] * scale[i]</c> for <c>[rows, dim]</c> (IA³).</summary>
    public static void ScaleColumns(float* x, long ldx, float* scale, float* y, long ldy, int rows, int dim)
        => RowJob<MulOp>.Run(x, ldx, scale, 0, null, 0, y, ldy, 0, rows, dim);

    /// <summary>
    /// Derivative of <see cref="ScaleColumns"/>: <c>dx (+)= dy * scale</c> unless dx is null, and <c>dScale += sum_r dy * x</c> unless dScale is null.
    /// dx may be dy.
    /// </summary>
    public static void ScaleColumnsBackward(float* dy, long lddy, float* x, long ldx, float* scale, float* dx, long lddx, bool accumulate,
        float* dScale, int rows, int dim)
    {
        if (dScale != null)
            ColumnSumJob<ColumnProduct>.Run(dy, lddy, x, ldx, null, null, rows, dim, dScale);
        if (dx == null)
            return;
        if (accumulate)
            RowJob<MulAddOp>.Run(dy, lddy, scale, 0, dx, lddx, dx, lddx, 0, rows, dim);
        else
            RowJob<MulOp>.Run(dy, lddy, scale, 0, null, 0, dx, lddx, 0, rows, dim);
    }

    /// <summary><c>norms[r] = sqrt(sum_i w[r, i]^2)</c>, summed in double (DoRA).</summary>
    public static void RowNorms(float* w, long ldw, int rows, int dim, float* norms) => RowNormJob.Run(w, ldw, rows, dim, norms);
}
