using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>How far a matrix moved when it was written in another storage.</summary>
/// <param name="Name">The matrix.</param>
/// <param name="Type">How it is stored now.</param>
/// <param name="Relative">The norm of the difference as a share of its own.</param>
/// <param name="Largest">The largest difference of one element.</param>
/// <param name="Bytes">What it takes now.</param>
public sealed record WeightError(string Name, DType Type, double Relative, double Largest, long Bytes)
{
    /// <summary>Compares two matrices row by row.</summary>
    public static WeightError Between(string name, Tensor before, Tensor after, DType type, long bytes)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        float[] a = new float[before.Columns], b = new float[before.Columns];
        double norm = 0, apart = 0, largest = 0;
        for (int row = 0; row < before.Rows; row++)
        {
            before.ReadRow(row, a);
            after.ReadRow(row, b);
            for (int i = 0; i < a.Length; i++)
            {
                double difference = (double)a[i] - b[i];
                norm += (double)a[i] * a[i];
                apart += difference * difference;
                largest = Math.Max(largest, Math.Abs(difference));
            }
        }
        return new WeightError(name, type, norm == 0 ? 0 : Math.Sqrt(apart / norm), largest, bytes);
    }
}
