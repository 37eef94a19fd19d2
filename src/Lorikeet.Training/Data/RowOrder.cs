namespace Lorikeet.Training;

/// <summary>In which order training sees its rows.</summary>
public enum RowOrder
{
    /// <summary>Shuffled anew for each epoch.</summary>
    Shuffle,
    /// <summary>Shuffled, with rows of similar length in the same batch; the longest batch comes first.</summary>
    ByLength,
    /// <summary>As in the files, in each epoch.</summary>
    File,
}
