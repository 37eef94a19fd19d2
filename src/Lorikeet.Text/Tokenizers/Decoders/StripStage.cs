namespace Lorikeet.Text;

/// <summary><c>Strip</c>: takes a character away from both ends of each token, at most a number of times.</summary>
internal sealed class StripStage : DecodeStage
{
    private readonly string _content;
    private readonly int _left;
    private readonly int _right;
    private int _leftToStrip;
    private string _heldBack = "";

    public StripStage(string content, int left, int right, DecodeStage next)
        : base(next)
    {
        _content = content;
        _left = left;
        _right = right;
        _leftToStrip = left;
    }

    public override void Token(string token)
    {
        Part(token);
        EndToken();
    }

    public override void Part(string text)
    {
        while (_leftToStrip > 0 && text.Length > 0)
        {
            if (!text.StartsWith(_content, StringComparison.Ordinal))
            {
                _leftToStrip = 0;
                break;
            }
            text = text[_content.Length..];
            _leftToStrip--;
        }
        // what may turn out to be the end waits
        text = _heldBack + text;
        int keep = text.Length;
        for (int i = 0; i < _right && keep > 0 && text.AsSpan(0, keep).EndsWith(_content, StringComparison.Ordinal); i++)
            keep -= _content.Length;
        _heldBack = text[keep..];
        if (keep > 0)
            Next!.Part(text[..keep]);
    }

    public override void EndToken()
    {
        _leftToStrip = _left;
        _heldBack = "";
        Next!.EndToken();
    }
}
