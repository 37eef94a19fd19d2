namespace Lorikeet.Text;

/// <summary><c>WordPiece</c>: a blank before every token but continued ones, and punctuation moved back to its word where asked.</summary>
internal sealed class WordPieceStage(string prefix, bool cleanup, DecodeStage next) : DecodeStage(next)
{
    private bool _started;

    public override void Token(string token)
    {
        if (_started)
            token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
        _started = true;
        Next!.Token(cleanup ? CleanUp(token) : token);
    }

    /// <summary>Takes back blanks that cutting English text leaves before punctuation and contractions.</summary>
    public static string CleanUp(string text) =>
        !text.Contains(' ', StringComparison.Ordinal)
            ? text
            : text
                .Replace(" .", ".", StringComparison.Ordinal).Replace(" ?", "?", StringComparison.Ordinal)
                .Replace(" !", "!", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal)
                .Replace(" ' ", "'", StringComparison.Ordinal).Replace(" n't", "n't", StringComparison.Ordinal)
                .Replace(" 'm", "'m", StringComparison.Ordinal).Replace(" do not", " don't", StringComparison.Ordinal)
                .Replace(" 's", "'s", StringComparison.Ordinal).Replace(" 've", "'ve", StringComparison.Ordinal)
                .Replace(" 're", "'re", StringComparison.Ordinal);
}
