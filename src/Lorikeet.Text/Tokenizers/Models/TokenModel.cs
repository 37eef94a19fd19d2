namespace Lorikeet.Text;

/// <summary>Cuts one piece of text into tokens of a vocabulary.</summary>
internal abstract class TokenModel(Vocabulary vocabulary)
{
    public Vocabulary Vocabulary { get; } = vocabulary;

    /// <summary>Adds the tokens of a non-empty piece; positions are UTF-16 units of the piece.</summary>
    public abstract void Encode(ReadOnlySpan<char> piece, TokenBuffer tokens);
}
