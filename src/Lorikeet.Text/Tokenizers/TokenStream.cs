namespace Lorikeet.Text;

/// <summary>
/// Turns tokens into text while they are being generated. What it has given out is final: never half a character, and all of it
/// together equals <see cref="Tokenizer.Decode"/> of all tokens. Not thread-safe; make one for each stream.
/// </summary>
public sealed class TokenStream
{
    private readonly TokenDecoding _decoding;

    internal TokenStream(TokenDecoding decoding)
    {
        _decoding = decoding;
    }

    /// <summary>Takes the next token and returns the text that is certain now; a token that ends within a character gives out nothing yet.</summary>
    public string Append(int id)
    {
        _decoding.Append(id);
        return _decoding.IsPending ? "" : _decoding.Take();
    }

    /// <summary>Returns what was held back; an incomplete character becomes U+FFFD. Nothing may be appended after it.</summary>
    public string Finish()
    {
        _decoding.Finish();
        return _decoding.Take();
    }
}
