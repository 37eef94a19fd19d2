namespace Lorikeet.Text;

/// <summary><c>Fuse</c>: from here on all tokens are one.</summary>
internal sealed class FuseStage(DecodeStage next) : DecodeStage(next)
{
    public override void Token(string token) => Next!.Part(token);

    public override void Part(string text) => Next!.Part(text);

    public override void EndToken()
    {
    }

    public override void Finish()
    {
        Next!.EndToken();
        Next.Finish();
    }
}
