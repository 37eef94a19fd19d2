using System.Text;
using System.Text.Unicode;

namespace Lorikeet.Training;

/// <summary>Lines of a text file in strict UTF-8, read as they are needed.</summary>
internal static class Utf8Lines
{
    private const int LongestLine = 1 << 30;

    /// <summary>
    /// The lines that are UTF-8, with their 1-based numbers and without their ends; those that are not become problems. A byte-order
    /// mark at the beginning is not part of the first line.
    /// </summary>
    public static IEnumerable<(int Line, string Text)> Read(string path, ProblemList problems)
    {
        int line = 0;
        foreach (ReadOnlyMemory<byte> bytes in Bytes(path, problems))
        {
            line++;
            string text;
            try
            {
                text = Utf8Text.Strict.GetString(bytes.Span);
            }
            catch (DecoderFallbackException failure)
            {
                problems.Add($"{new RowOrigin(path, line)}: found bytes that are not UTF-8 at byte {failure.Index + 1} of the line, expected UTF-8. Save the file as UTF-8.");
                continue;
            }
            yield return (line, text);
        }
    }

    /// <summary>Whether a whole file is UTF-8; if not, the first line that is not becomes a problem.</summary>
    public static bool Check(string path, ProblemList problems)
    {
        int line = 0, before = problems.Count;
        foreach (ReadOnlyMemory<byte> bytes in Bytes(path, problems))
        {
            line++;
            if (Utf8.IsValid(bytes.Span))
                continue;
            problems.Add($"{new RowOrigin(path, line)}: found bytes that are not UTF-8, expected UTF-8. Save the file as UTF-8.");
            return false;
        }
        return problems.Count == before;
    }

    /// <summary>The first byte that is not white space, or -1 in a file that is empty or cannot be read (which reading it will report).</summary>
    public static int FirstByte(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            int next = stream.ReadByte();
            while (next is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF)
                next = stream.ReadByte();
            return next;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Bytes(string path, ProblemList problems)
    {
        FileStream? stream = Open(path, problems);
        if (stream is null)
            yield break;
        using (stream)
        {
            byte[] buffer = new byte[1 << 16];
            int from = 0, to = 0, searched = 0;
            bool first = true, more = true;
            while (more || from < to)
            {
                int end = buffer.AsSpan(searched, to - searched).IndexOf((byte)'\n');
                if (end < 0 && more)
                {
                    (from, to) = MakeRoom(ref buffer, from, to);
                    searched = to;
                    int read = to - from >= LongestLine ? 0 : stream.Read(buffer, to, buffer.Length - to);
                    if (to - from >= LongestLine)
                        problems.Add($"{path}: found a line longer than {LongestLine:N0} bytes, expected lines of text. Is this a text file?");
                    to += read;
                    more = read > 0;
                    if (first && to >= 3)
                    {
                        first = false;
                        if (buffer.AsSpan(0, 3).SequenceEqual((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
                            from = searched = 3;
                    }
                    continue;
                }
                end = end < 0 ? to : searched + end;
                int length = end - from;
                if (length > 0 && buffer[end - 1] == '\r')
                    length--;
                yield return buffer.AsMemory(from, length);
                from = searched = Math.Min(end + 1, to);
            }
        }
    }

    // moves what is left to the front, and doubles a buffer that is full; from and to afterwards
    private static (int From, int To) MakeRoom(ref byte[] buffer, int from, int to)
    {
        byte[] target = to - from > buffer.Length / 2 ? new byte[checked(buffer.Length * 2)] : buffer;
        buffer.AsSpan(from, to - from).CopyTo(target);
        buffer = target;
        return (0, to - from);
    }

    private static FileStream? Open(string path, ProblemList problems)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{path}: cannot be read: {failure.Message}");
            return null;
        }
        Span<byte> head = stackalloc byte[4];
        head = head[..stream.ReadAtLeast(head, 4, throwOnEndOfStream: false)];
        stream.Position = 0;
        string? other = head switch
        {
            [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] => "UTF-16 text. Save the file as UTF-8",
            [0x1F, 0x8B, ..] => "a gzip archive. Decompress it first",
            [0x28, 0xB5, 0x2F, 0xFD] => "a zstd archive. Decompress it first",
            [(byte)'P', (byte)'K', 3, 4] => "a zip archive or a spreadsheet. Extract it, or export it as CSV",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1'] => "a Parquet file. Export it as JSONL",
            [(byte)'A', (byte)'R', (byte)'R', (byte)'O'] => "an Arrow file. Export it as JSONL",
            _ => null,
        };
        if (other is null)
            return stream;
        stream.Dispose();
        problems.Add($"{path}: found {other}; expected text in UTF-8.");
        return null;
    }
}
