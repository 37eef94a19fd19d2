using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Adds up how far a matrix moves while it is written, some rows at a time.</summary>
public sealed class WeightComparison
{
    private double _norm, _apart, _largest;
    private float _range;

    /// <summary>Adds rows.</summary>
    /// <param name="before">As they were, all of them finite.</param>
    /// <param name="after">As they are stored now.</param>
    public void Add(Tensor before, Tensor after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        float[] a = new float[before.Columns], b = new float[before.Columns];
        for (int row = 0; row < before.Rows; row++)
        {
            before.ReadRow(row, a);
            after.ReadRow(row, b);
            for (int i = 0; i < a.Length; i++)
            {
                double difference = (double)a[i] - b[i];
                _norm += (double)a[i] * a[i];
                _apart += difference * difference;
                _largest = Math.Max(_largest, Math.Abs(difference));
                _range = MathF.Max(_range, MathF.Abs(a[i]));
            }
        }
    }

    /// <summary>What came of all rows.</summary>
    /// <param name="name">The matrix.</param>
    /// <param name="type">How it is stored now.</param>
    /// <param name="bytes">What it takes now.</param>
    public WeightError Error(string name, DType type, long bytes) => new(name, type, _norm == 0 ? 0 : Math.Sqrt(_apart / _norm), _largest, _range, bytes);
}
