using System.Buffers;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Puts bytes that arrive in pieces together to text; an incomplete character waits for the rest of its bytes.</summary>
internal sealed class Utf8Assembler
{
    private const int LongestWait = 3;

    private readonly byte[] _waiting = new byte[LongestWait];
    private int _count;

    /// <summary>Whether an incomplete character waits.</summary>
    public bool IsPending => _count > 0;

    /// <summary>The text that these bytes complete; what cannot be part of a character becomes U+FFFD.</summary>
    public string Append(ReadOnlySpan<byte> bytes)
    {
        if (_count > 0)
        {
            byte[] joined = new byte[_count + bytes.Length];
            _waiting.AsSpan(0, _count).CopyTo(joined);
            bytes.CopyTo(joined.AsSpan(_count));
            bytes = joined;
        }
        _count = IncompleteTail(bytes);
        bytes[^_count..].CopyTo(_waiting);
        return Encoding.UTF8.GetString(bytes[..^_count]);
    }

    /// <summary>U+FFFD if a character stayed incomplete.</summary>
    public string Finish()
    {
        string text = Encoding.UTF8.GetString(_waiting, 0, _count);
        _count = 0;
        return text;
    }

    /// <summary>Number of bytes at the end that more bytes could complete to a character.</summary>
    private static int IncompleteTail(ReadOnlySpan<byte> bytes)
    {
        for (int count = 1; count <= Math.Min(LongestWait, bytes.Length); count++)
            if (bytes[^count] >= 0xC0)
                return Rune.DecodeFromUtf8(bytes[^count..], out _, out _) == OperationStatus.NeedMoreData ? count : 0;
        return 0;
    }
}
