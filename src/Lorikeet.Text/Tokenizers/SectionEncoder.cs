namespace Lorikeet.Text;

/// <summary>Encodes the stretches of a text between added tokens.</summary>
internal abstract class SectionEncoder
{
    /// <summary>The model's own tokens, without those added to it.</summary>
    public abstract Vocabulary Vocabulary { get; }

    /// <summary>Adds the tokens of [start, end) of a text, which is not empty.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="start">First UTF-16 unit of the stretch.</param>
    /// <param name="end">Unit after its last.</param>
    /// <param name="tokens">Where the tokens go.</param>
    public abstract void Encode(string text, int start, int end, TokenBuffer tokens);
}
