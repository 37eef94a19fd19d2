namespace Lorikeet.Text;

/// <summary><c>BPEDecoder</c>: the suffix that ends a word becomes a blank, at the very end nothing; so a token with it waits for the next.</summary>
internal sealed class BpeStage(string suffix, DecodeStage next) : DecodeStage(next)
{
    private string? _waiting;

    public override void Token(string token)
    {
        Release(" ");
        if (suffix.Length > 0 && token.Contains(suffix, StringComparison.Ordinal))
            _waiting = token;
        else
            Next!.Token(token);
    }

    public override void Finish()
    {
        Release("");
        base.Finish();
    }

    private void Release(string replacement)
    {
        if (_waiting is not null)
            Next!.Token(_waiting.Replace(suffix, replacement, StringComparison.Ordinal));
        _waiting = null;
    }
}
