using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Lorikeet.Text;

/// <summary>
/// <c>ByteFallback</c>: runs of <c>&lt;0x..&gt;</c> tokens become the text that they spell; a run that is not valid UTF-8 as a whole becomes
/// one U+FFFD a byte, so a run waits for its end.
/// </summary>
internal sealed class ByteFallbackStage(DecodeStage next) : DecodeStage(next)
{
    private readonly List<byte> _bytes = [];

    public override void Token(string token)
    {
        if (TryParse(token, out byte value))
        {
            _bytes.Add(value);
            return;
        }
        Release();
        Next!.Token(token);
    }

    public override void Finish()
    {
        Release();
        base.Finish();
    }

    /// <summary>The byte that a token such as <c>&lt;0x0A&gt;</c> stands for.</summary>
    public static bool TryParse(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private void Release()
    {
        if (_bytes.Count == 0)
            return;
        byte[] bytes = [.. _bytes];
        _bytes.Clear();
        if (Utf8.IsValid(bytes))
        {
            Next!.Token(Encoding.UTF8.GetString(bytes));
            return;
        }
        for (int i = 0; i < bytes.Length; i++)
            Next!.Token("\uFFFD");
    }
}
