namespace Lorikeet.Text;

/// <summary>One run of decoding: numbers in, text out.</summary>
internal abstract class TokenDecoding
{
    /// <summary>Whether the tokens so far end within a character.</summary>
    public abstract bool IsPending { get; }

    public abstract void Append(int id);

    public abstract void Finish();

    /// <summary>Hands out the text that is certain since the last call.</summary>
    public abstract string Take();
}
