namespace Lorikeet.Tensors.Tests;

/// <summary>How an input lies in memory.</summary>
public enum InputLayout
{
    /// <summary>A tensor of its own.</summary>
    Whole,
    /// <summary>Some rows of a longer tensor.</summary>
    Rows,
    /// <summary>Some columns of a wider tensor.</summary>
    Columns,
    /// <summary>All of a tensor of another shape.</summary>
    Reshaped,
    /// <summary>Some columns of some rows.</summary>
    ColumnsOfRows,
}
