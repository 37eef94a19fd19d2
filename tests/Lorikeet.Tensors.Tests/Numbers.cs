namespace Lorikeet.Tensors.Tests;

/// <summary>Numbers for tests, and the plain loops that say what an op should give.</summary>
internal static class Numbers
{
    /// <summary>Numbers between -1 and 1.</summary>
    public static Tensor Random(int seed, int rows, int columns)
    {
        Random random = new(seed);
        return Tensor.FromValues([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() * 2 - 1)], new Shape(rows, columns));
    }

    /// <summary>The same, with a gradient.</summary>
    public static Tensor Trainable(int seed, int rows, int columns)
    {
        Tensor tensor = Random(seed, rows, columns);
        tensor.RequiresGrad = true;
        return tensor;
    }

    /// <summary>An element.</summary>
    public static double At(this Tensor tensor, int row, int column) => tensor.Row(row)[column];

    /// <summary>Compares a tensor with a formula.</summary>
    public static void ShouldBeNear(this Tensor tensor, Func<int, int, double> formula, double tolerance = 2e-6)
    {
        for (int row = 0; row < tensor.Rows; row++)
        {
            for (int column = 0; column < tensor.Columns; column++)
            {
                double expected = formula(row, column), off = Math.Abs(tensor.At(row, column) - expected) / Math.Max(1, Math.Abs(expected));
                if (!(off <= tolerance))
                    Assert.Fail($"[{row}, {column}] is {tensor.At(row, column)}, not {expected}");
            }
        }
    }
}
