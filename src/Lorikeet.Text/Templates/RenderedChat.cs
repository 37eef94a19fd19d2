namespace Lorikeet.Text;

/// <summary>A conversation as the text that its model was trained to read.</summary>
/// <param name="Text">The text. It holds its special tokens as text, the beginning-of-sequence token included where the template writes it.</param>
/// <param name="GenerationSpans">
/// Where in <paramref name="Text"/> (in UTF-16 units) the text of each <c>{% generation %}</c> block lies: what the model itself is to write.
/// Empty where the template has no such blocks.
/// </param>
public sealed record RenderedChat(string Text, IReadOnlyList<(int Start, int End)> GenerationSpans)
{
    /// <summary>
    /// True where the text of a generation block was put through a filter or joined to other text before it was written, so that its place is
    /// not among <see cref="GenerationSpans"/>. Such a template cannot say what to train on.
    /// </summary>
    public bool HasUnplacedGeneration { get; init; }
}
