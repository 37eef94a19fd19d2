namespace Lorikeet.Kernels.Reference;

/// <summary>Elementwise operations and sums by plain loops, sums in double.</summary>
internal static unsafe class VectorReference
{
    /// <summary>Sum of products.</summary>
    public static double Dot(float* x, float* y, long n)
    {
        double sum = 0;
        for (long i = 0; i < n; i++)
            sum += (double)x[i] * y[i];
        return sum;
    }

    /// <summary>Sum.</summary>
    public static double Sum(float* x, long n)
    {
        double sum = 0;
        for (long i = 0; i < n; i++)
            sum += x[i];
        return sum;
    }

    /// <summary>Greatest magnitude, NaN if there is one.</summary>
    public static float MaxAbs(float* x, long n)
    {
        float max = 0;
        for (long i = 0; i < n; i++)
            max = MathF.Max(max, MathF.Abs(x[i]));
        return max;
    }

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    public static long FirstNonFinite(float* x, long n)
    {
        for (long i = 0; i < n; i++)
            if (!float.IsFinite(x[i]))
                return i;
        return -1;
    }

    /// <summary>Column sums of <c>[rows, dim]</c> added to <paramref name="sum"/>.</summary>
    public static void AddRowsTo(float* x, long ldx, int rows, int dim, float* sum)
    {
        for (int i = 0; i < dim; i++)
        {
            double total = 0;
            for (int r = 0; r < rows; r++)
                total += x[r * ldx + i];
            sum[i] += (float)total;
        }
    }

    /// <summary>Column sums of a product of two <c>[rows, dim]</c> added to <paramref name="sum"/>.</summary>
    public static void AddProductRowsTo(float* x, long ldx, float* y, long ldy, int rows, int dim, float* sum)
    {
        for (int i = 0; i < dim; i++)
        {
            double total = 0;
            for (int r = 0; r < rows; r++)
                total += (double)x[r * ldx + i] * y[r * ldy + i];
            sum[i] += (float)total;
        }
    }

    /// <summary>Euclidean norm of each row.</summary>
    public static void RowNorms(float* w, long ldw, int rows, int dim, float* norms)
    {
        for (int r = 0; r < rows; r++)
            norms[r] = (float)Math.Sqrt(Dot(w + r * ldw, w + r * ldw, dim));
    }
}
