namespace Lorikeet.Training;

/// <summary>A section of a recipe may be written as one plain value, which then sets the named property.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ShorthandAttribute(string property) : Attribute
{
    /// <summary>The property that a plain value sets.</summary>
    public string Property { get; } = property;
}
