using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Replace</c>: puts a text in the place of every match within a token.</summary>
internal sealed class ReplaceStage(TextPattern pattern, string content, DecodeStage next) : DecodeStage(next)
{
    /// <summary>A match of one unit cannot lie across two parts of a token.</summary>
    private readonly bool _canStream = pattern is LiteralPattern { Literal.Length: <= 1 };

    public override void Token(string token) => Next!.Token(Rewrite(token));

    public override void Part(string text)
    {
        if (_canStream)
            Next!.Part(Rewrite(text));
        else
            base.Part(text);
    }

    public override void EndToken()
    {
        if (_canStream)
            Next!.EndToken();
        else
            base.EndToken();
    }

    private string Rewrite(string text)
    {
        PatternMatches matches = new(pattern);
        if (!matches.Next(text, out int start, out int end))
            return text;
        StringBuilder rewritten = new();
        int done = 0;
        do
        {
            rewritten.Append(text, done, start - done).Append(content);
            done = end;
        }
        while (matches.Next(text, out start, out end));
        return rewritten.Append(text, done, text.Length - done).ToString();
    }
}
