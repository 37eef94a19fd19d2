namespace Lorikeet.Text;

/// <summary><c>Metaspace</c>: marks back to blanks; those of the first token go away where one was put in front.</summary>
internal sealed class MetaspaceStage(string mark, PrependScheme scheme, DecodeStage next) : DecodeStage(next)
{
    private bool _started;

    public override void Token(string token)
    {
        bool drop = !_started && scheme != PrependScheme.Never;
        _started = true;
        Next!.Token(token.Replace(mark, drop ? "" : " ", StringComparison.Ordinal));
    }
}
