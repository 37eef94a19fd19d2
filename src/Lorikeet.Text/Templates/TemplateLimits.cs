namespace Lorikeet.Text;

/// <summary>
/// How much one rendering may use. A template comes with a model and is not trusted: one that loops for ever, or doubles a string
/// until memory is gone, ends with a <see cref="TemplateException"/> of kind <see cref="TemplateErrorKind.Limit"/>.
/// </summary>
public sealed record TemplateLimits
{
    /// <summary>The limits that hold when none are given: far above what any real conversation needs.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>Units of work: one for a statement, a loop round or a call, and one for each 16 characters or each item that a filter or method walks over.</summary>
    public long MaxSteps { get; init; } = 100_000_000;

    /// <summary>Time on the clock.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Length in UTF-16 units of the text, and of any one string on the way to it.</summary>
    public int MaxTextLength { get; init; } = 32 * 1024 * 1024;

    /// <summary>Items in any one list or dictionary.</summary>
    public int MaxItems { get; init; } = 1_000_000;

    /// <summary>Bytes of managed memory allocated in total, freed or not.</summary>
    public long MaxAllocatedBytes { get; init; } = 1L << 30;

    /// <summary>Calls of macros inside each other.</summary>
    public int MaxRecursion { get; init; } = 200;
}
