namespace Lorikeet.Text;

/// <summary><c>CTC</c>: a token repeated counts once, padding goes away, word delimiters become blanks.</summary>
internal sealed class CtcStage(string pad, string delimiter, bool cleanup, DecodeStage next) : DecodeStage(next)
{
    private string? _last;

    public override void Token(string token)
    {
        if (token == _last)
            return;
        _last = token;
        if (pad.Length > 0)
            token = token.Replace(pad, "", StringComparison.Ordinal);
        if (cleanup)
        {
            token = WordPieceStage.CleanUp(token);
            if (delimiter.Length > 0)
                token = token.Replace(delimiter, " ", StringComparison.Ordinal);
        }
        if (token.Length > 0)
            Next!.Token(token);
    }
}
