namespace Lorikeet.Training;

/// <summary>How rows are put together to sequences of at most <c>max_length</c> tokens.</summary>
public enum Packing
{
    /// <summary>A row is a sequence.</summary>
    None,
    /// <summary>Best fit, decreasing: whole rows side by side. Each keeps its own positions and sees only itself.</summary>
    Bfd,
    /// <summary>All rows one after another, cut every <c>max_length</c> tokens; attention crosses the borders of rows.</summary>
    Wrapped,
}
