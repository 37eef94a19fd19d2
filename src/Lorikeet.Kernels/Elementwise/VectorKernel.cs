using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>
/// Elementwise operations on vectors and rows, and sums over them. The last pointer is the one written to; it may be one of the inputs.
/// Sums are taken in double precision in an order that depends on the length alone.
/// </summary>
public static unsafe class VectorKernel
{
    /// <summary><c>y = value</c>.</summary>
    public static void Fill(float value, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = value;
    }

    /// <summary><c>y = x</c>; the two may not overlap.</summary>
    public static void Copy(float* x, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = x[i];
    }

    /// <summary><c>y = a + b</c>.</summary>
    public static void Add(float* a, float* b, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = a[i] + b[i];
    }

    /// <summary><c>y = a - b</c>.</summary>
    public static void Subtract(float* a, float* b, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = a[i] - b[i];
    }

    /// <summary><c>y += x</c>.</summary>
    public static void AddTo(float* x, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] += x[i];
    }

    /// <summary><c>y += s * x</c>.</summary>
    public static void Axpy(float s, float* x, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] += s * x[i];
    }

    /// <summary><c>y = s * x</c>.</summary>
    public static void Scale(float s, float* x, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = s * x[i];
    }

    /// <summary><c>y = a * b</c>.</summary>
    public static void Mul(float* a, float* b, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = a[i] * b[i];
    }

    /// <summary><c>y += a * b</c>.</summary>
    public static void MulAddTo(float* a, float* b, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] += a[i] * b[i];
    }

    /// <summary><c>y = a * b + c</c>.</summary>
    public static void MulAdd(float* a, float* b, float* c, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = a[i] * b[i] + c[i];
    }

    /// <summary>Sum of products, in double.</summary>
    public static double Dot(float* x, float* y, long n) => VectorReference.Dot(x, y, n);

    /// <summary>Sum of squares, in double.</summary>
    public static double SumSquares(float* x, long n) => VectorReference.Dot(x, x, n);

    /// <summary>Sum, in double.</summary>
    public static double Sum(float* x, long n) => VectorReference.Sum(x, n);

    /// <summary>Greatest magnitude; NaN if any element is.</summary>
    public static float MaxAbs(float* x, long n) => VectorReference.MaxAbs(x, n);

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    public static long FirstNonFinite(float* x, long n) => VectorReference.FirstNonFinite(x, n);

    /// <summary><c>y[r] += s * x[r]</c> for <c>[rows, dim]</c>.</summary>
    public static void AxpyRows(float s, float* x, long ldx, float* y, long ldy, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
            Axpy(s, x + r * ldx, y + r * ldy, dim);
    }

    /// <summary><c>y[r] = x[r]</c> for <c>[rows, dim]</c>; the two may not overlap.</summary>
    public static void CopyRows(float* x, long ldx, float* y, long ldy, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
            Copy(x + r * ldx, y + r * ldy, dim);
    }

    /// <summary><c>x[r] += bias</c> for <c>[rows, dim]</c>.</summary>
    public static void AddBias(float* x, long ldx, float* bias, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
            AddTo(bias, x + r * ldx, dim);
    }

    /// <summary><c>sum[i] += sum_r x[r, i]</c>: the derivative of a bias.</summary>
    public static void AddRowsTo(float* x, long ldx, int rows, int dim, float* sum)
        => VectorReference.AddRowsTo(x, ldx, rows, dim, sum);

    /// <summary><c>y[r, i] = x[r, i] * scale[i]</c> for <c>[rows, dim]</c> (IA³).</summary>
    public static void ScaleColumns(float* x, long ldx, float* scale, float* y, long ldy, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
            Mul(x + r * ldx, scale, y + r * ldy, dim);
    }

    /// <summary>
    /// Derivative of <see cref="ScaleColumns"/>: <c>dx (+)= dy * scale</c> unless dx is null, and <c>dScale += sum_r dy * x</c> unless dScale is null.
    /// dx may be dy.
    /// </summary>
    public static void ScaleColumnsBackward(float* dy, long lddy, float* x, long ldx, float* scale, float* dx, long lddx, bool accumulate,
        float* dScale, int rows, int dim)
    {
        if (dScale != null)
            VectorReference.AddProductRowsTo(dy, lddy, x, ldx, rows, dim, dScale);
        for (int r = 0; dx != null && r < rows; r++)
        {
            if (accumulate)
                MulAddTo(dy + r * lddy, scale, dx + r * lddx, dim);
            else
                Mul(dy + r * lddy, scale, dx + r * lddx, dim);
        }
    }

    /// <summary><c>norms[r] = sqrt(sum_i w[r, i]^2)</c> (DoRA).</summary>
    public static void RowNorms(float* w, long ldw, int rows, int dim, float* norms)
        => VectorReference.RowNorms(w, ldw, rows, dim, norms);
}
