using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>Text from standard input or a file, in strict UTF-8: bytes that are none are refused by their place and never become another text.</summary>
/// <param name="stream">The bytes; a byte-order mark of UTF-8 at their beginning is left out.</param>
/// <param name="name">What they are called in an error.</param>
internal sealed class Utf8Input(Stream stream, string name) : TextReader
{
    private readonly byte[] _bytes = new byte[1 << 14];
    private readonly char[] _chars = new char[1 << 14];
    private int _byteCount, _charStart, _charEnd, _line = 1;
    private long _byteInLine = 1;
    private bool _begun, _ended;

    /// <summary>Opens a file.</summary>
    /// <exception cref="InputException">It cannot be opened.</exception>
    public static Utf8Input Open(string path)
    {
        if (Directory.Exists(path))
            throw new InputException($"{path}: is a folder; a file was expected");
        if (!File.Exists(path))
            throw new InputException($"{path}: there is no such file");
        try
        {
            return new Utf8Input(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <inheritdoc/>
    public override int Peek() => _charStart < _charEnd || Fill() ? _chars[_charStart] : -1;

    /// <inheritdoc/>
    public override int Read() => _charStart < _charEnd || Fill() ? _chars[_charStart++] : -1;

    /// <inheritdoc/>
    public override int Read(char[] buffer, int index, int count)
    {
        if (count == 0 || (_charStart == _charEnd && !Fill()))
            return 0;
        int taken = Math.Min(count, _charEnd - _charStart);
        _chars.AsSpan(_charStart, taken).CopyTo(buffer.AsSpan(index));
        _charStart += taken;
        return taken;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            stream.Dispose();
        base.Dispose(disposing);
    }

    // false at the end; a character that is cut by the end of what has arrived waits for the rest
    private bool Fill()
    {
        (_charStart, _charEnd) = (0, 0);
        while (_charEnd == 0 && !(_ended && _byteCount == 0))
        {
            if (!_ended)
            {
                int read = stream.Read(_bytes, _byteCount, _bytes.Length - _byteCount);
                _ended = read == 0;
                _byteCount += read;
            }
            if (!_begun && (_byteCount >= 3 || _ended))
                Begin();
            if (!_begun)
                continue;
            OperationStatus status = Utf8.ToUtf16(_bytes.AsSpan(0, _byteCount), _chars, out int used, out _charEnd, replaceInvalidSequences: false, isFinalBlock: _ended);
            if (status == OperationStatus.InvalidData && _charEnd == 0)
                throw Wrong(_bytes[0]);
            Count(_bytes.AsSpan(0, used));
            Drop(used);
        }
        return _charEnd > 0;
    }

    private void Begin()
    {
        _begun = true;
        if (_bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
            throw new InputException($"{name}: found UTF-16 text; UTF-8 was expected");
        if (_bytes.AsSpan(0, _byteCount).StartsWith(Encoding.UTF8.Preamble))
            Drop(3);
    }

    private void Drop(int count)
    {
        _bytes.AsSpan(count, _byteCount - count).CopyTo(_bytes);
        _byteCount -= count;
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        _line += bytes.Count((byte)'\n');
        int end = bytes.LastIndexOf((byte)'\n');
        _byteInLine = end < 0 ? _byteInLine + bytes.Length : bytes.Length - end;
    }

    private InputException Wrong(byte value) =>
        new(FormattableString.Invariant($"{name}, line {_line}: byte {_byteInLine} of the line (0x{value:X2}) is not UTF-8; text in UTF-8 was expected"));
}
