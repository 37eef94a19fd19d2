namespace Lorikeet.Text;

/// <summary>
/// One step from tokens back to text. Tokens are pushed one by one; a stage passes on what can no longer change and holds the rest
/// back. Decoding a whole text and decoding a stream are the same pushes, so they cannot differ.
/// </summary>
internal abstract class DecodeStage(DecodeStage? next)
{
    private System.Text.StringBuilder? _open;

    /// <summary>The stage that this one feeds; null for the last.</summary>
    protected DecodeStage? Next { get; } = next;

    /// <summary>Whether a character is incomplete, here or further on.</summary>
    public virtual bool IsPending => Next?.IsPending == true;

    /// <summary>Takes a complete token.</summary>
    public abstract void Token(string token);

    /// <summary>Takes a part of a token that is still growing (after <c>Fuse</c>).</summary>
    public virtual void Part(string text) => (_open ??= new()).Append(text);

    /// <summary>The growing token is complete.</summary>
    public virtual void EndToken()
    {
        Token(_open?.ToString() ?? "");
        _open = null;
    }

    /// <summary>No more tokens follow.</summary>
    public virtual void Finish() => Next?.Finish();
}
