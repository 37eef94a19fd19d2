namespace Lorikeet.Training;

/// <summary>What a row of a plain text file is.</summary>
public enum TextUnit
{
    /// <summary>The whole file.</summary>
    File,
    /// <summary>What stands between empty lines.</summary>
    Paragraph,
    /// <summary>Each line that is not empty.</summary>
    Line,
}
