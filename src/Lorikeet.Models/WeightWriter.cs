using System.Globalization;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>Writes weights in a storage, a part at a time, and refuses what is not finite: before anything is written, or when all is.</summary>
/// <param name="written">Told of each matrix that was rounded how far it moved, where not null.</param>
/// <param name="stop">Ends the writing between two parts.</param>
internal sealed class WeightWriter(Action<WeightError>? written, CancellationToken stop)
{
    private const int PartElements = 1 << 20;

    private readonly List<string> _problems = [];

    /// <summary>Looks at all weights before the first is written.</summary>
    /// <param name="weights">In any storage.</param>
    /// <param name="source">Where they come from, for messages.</param>
    /// <exception cref="InputException">Some hold numbers that are not finite; all of those are listed.</exception>
    public void CheckSource(IEnumerable<Parameter> weights, string source)
    {
        foreach (Parameter weight in weights)
        {
            foreach ((int first, Tensor wide) in Parts(weight.Value, row => row))
            {
                if (wide.FirstNonFinite() is not (>= 0 and long at))
                    continue;
                _problems.Add(string.Create(CultureInfo.InvariantCulture, $"tensor {weight.Name} holds {wide.Values[(int)at]} in row {first + at / wide.Columns}"));
                break;
            }
        }
        if (_problems.Count > 0)
            throw new InputException($"{source}: holds numbers that are not finite: a model with such weights computes nothing. Get the file again, or take a checkpoint from before training diverged; nothing was written", _problems);
    }

    /// <summary>Writes a weight.</summary>
    /// <param name="name">What the model calls it.</param>
    /// <param name="value">A matrix or a vector, in any storage.</param>
    /// <param name="type">How it is to be stored.</param>
    /// <param name="stream">Receives it.</param>
    /// <param name="tell">True where its error is told.</param>
    /// <param name="rowAt">Which of its rows stands in each place.</param>
    public void Write(string name, Tensor value, DType type, Stream stream, bool tell, Func<int, int>? rowAt = null)
    {
        stop.ThrowIfCancellationRequested();
        WeightComparison comparison = new();
        if (value.Type == type && value.IsContiguous && rowAt is null)
        {
            value.Contents.CopyTo(stream);
        }
        else
        {
            // a table of embeddings need not be there twice
            foreach ((_, Tensor wide) in Parts(value, rowAt ?? (row => row)))
            {
                Tensor stored = Tensor.Create(wide.Shape, type);
                stored.WriteRows(0, wide);
                stored.Contents.CopyTo(stream);
                comparison.Add(wide, stored);
            }
        }
        WeightError error = comparison.Error(name, type, type.Bytes(value.Shape.Elements));
        Check(error);
        if (tell)
            written?.Invoke(error);
    }

    /// <summary>Takes what somebody else wrote.</summary>
    public void Took(WeightError error)
    {
        stop.ThrowIfCancellationRequested();
        Check(error);
        written?.Invoke(error);
    }

    /// <summary>Refuses weights that the storage could not hold.</summary>
    /// <param name="place">Where they were written, for messages.</param>
    /// <exception cref="InputException">There are some; all of them are listed.</exception>
    public void ThrowIfAny(string place)
    {
        if (_problems.Count > 0)
            throw new InputException($"{place}: not written, for numbers would not be finite there. Choose a storage of wider range: bf16 or f32", _problems);
    }

    private void Check(WeightError error)
    {
        if (!double.IsFinite(error.Largest))
            _problems.Add(string.Create(CultureInfo.InvariantCulture, $"tensor {error.Name}: its numbers go up to {error.Range:0.###e+0}, which {WeightStorage.NameOf(error.Type)} cannot hold"));
    }

    private IEnumerable<(int First, Tensor Wide)> Parts(Tensor value, Func<int, int> rowAt)
    {
        int most = Math.Clamp(PartElements / Math.Max(1, value.Columns), 1, Math.Max(1, value.Rows));
        for (int first = 0; first < value.Rows; first += most)
        {
            stop.ThrowIfCancellationRequested();
            Tensor wide = Tensor.Create(new Shape(Math.Min(most, value.Rows - first), value.Columns));
            for (int row = 0; row < wide.Rows; row++)
                value.ReadRow(rowAt(first + row), wide.Row(row));
            yield return (first, wide);
        }
    }
}
