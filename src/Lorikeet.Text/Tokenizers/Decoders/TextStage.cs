using System.Text;

namespace Lorikeet.Text;

/// <summary>The end of the chain: gathers the text.</summary>
internal sealed class TextStage() : DecodeStage(null)
{
    private readonly StringBuilder _text = new();

    public override void Token(string token) => _text.Append(token);

    public override void Part(string text) => _text.Append(text);

    public override void EndToken()
    {
    }

    /// <summary>Hands out the text gathered since the last call.</summary>
    public string Take()
    {
        if (_text.Length == 0)
            return "";
        string text = _text.ToString();
        _text.Clear();
        return text;
    }
}
