using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Softmax and log-sum-exp over the last dimension, the greatest element subtracted first, sums in double.</summary>
public static unsafe class SoftmaxKernel
{
    // elements of exponentials worth a second thread
    private const int Grain = VectorJob.Grain / 4;

    /// <summary><c>y = exp(x) / sum(exp(x))</c> for each row of <c>[rows, dim]</c>; y may be x. A row of minus infinities gives zeros.</summary>
    public static void Forward(float* x, long ldx, float* y, long ldy, int rows, int dim)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            SoftmaxReference.Forward(x, ldx, y, ldy, rows, dim);
            return;
        }
        int partRows = VectorJob.PartRows(rows, dim, Grain);
        SoftmaxJob job = new() { X = x, Ldx = ldx, Y = y, Ldy = ldy, Rows = rows, Dim = dim, PartRows = partRows };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }

    /// <summary><c>dx (+)= y * (dy - sum(dy * y))</c>; dx may be dy.</summary>
    public static void Backward(float* dy, long lddy, float* y, long ldy, float* dx, long lddx, bool accumulate, int rows, int dim)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            SoftmaxReference.Backward(dy, lddy, y, ldy, dx, lddx, accumulate, rows, dim);
            return;
        }
        int partRows = VectorJob.PartRows(rows, dim, VectorJob.Grain);
        SoftmaxBackwardJob job = new()
        {
            Dy = dy, Lddy = lddy, Y = y, Ldy = ldy, Dx = dx, Lddx = lddx, Accumulate = accumulate, Rows = rows, Dim = dim, PartRows = partRows,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }

    /// <summary><c>result[r] = log(sum(exp(x[r])))</c>; minus infinity for a row of minus infinities.</summary>
    public static void LogSumExp(float* x, long ldx, float* result, int rows, int dim)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            SoftmaxReference.LogSumExp(x, ldx, result, rows, dim);
            return;
        }
        int partRows = VectorJob.PartRows(rows, dim, Grain);
        SoftmaxJob job = new() { X = x, Ldx = ldx, Result = result, Rows = rows, Dim = dim, PartRows = partRows };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }
}
