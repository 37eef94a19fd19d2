namespace Lorikeet.Text;

/// <summary>A tokenizer without a decoder: the tokens with blanks between them.</summary>
internal sealed class JoinStage(DecodeStage next) : DecodeStage(next)
{
    private bool _started;

    public override void Token(string token)
    {
        Next!.Token(_started ? " " + token : token);
        _started = true;
    }
}
