using System.Text;

namespace Lorikeet.Text;

/// <summary>Puts bytes that arrive in pieces together to text; an incomplete character waits for the rest of its bytes.</summary>
internal sealed class Utf8Assembler
{
    private readonly Decoder _decoder = new UTF8Encoding(false).GetDecoder();

    /// <summary>The text that these bytes complete.</summary>
    public string Append(ReadOnlySpan<byte> bytes) => Decode(bytes, flush: false);

    /// <summary>U+FFFD if a character stayed incomplete.</summary>
    public string Finish() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> buffer = stackalloc char[128];
        if (bytes.Length <= 100)
            return buffer[.._decoder.GetChars(bytes, buffer, flush)].ToString();
        char[] chars = new char[_decoder.GetCharCount(bytes, flush)];
        return new string(chars, 0, _decoder.GetChars(bytes, chars, flush));
    }
}
