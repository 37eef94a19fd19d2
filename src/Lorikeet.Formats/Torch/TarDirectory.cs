using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Where the members of a tar archive lie in the file: headers of 512 bytes, contents padded to 512.</summary>
internal static class TarDirectory
{
    private const int Block = 512;

    /// <summary>True where a file begins with a tar header, told by its checksum.</summary>
    public static bool Recognizes(ReadOnlySpan<byte> head) => head.Length >= Block && Octal(head.Slice(148, 8)) is long sum && sum > 0 && sum == Checksum(head[..Block]);

    /// <summary>Reads the headers; the contents of each plain file by its name without folder.</summary>
    /// <exception cref="InputException">A header is damaged, or contents were cut off.</exception>
    public static Dictionary<string, NativeBytes> Read(NativeBytes file, string description)
    {
        Dictionary<string, NativeBytes> members = new(StringComparer.Ordinal);
        long at = 0;
        while (at <= file.Length - Block)
        {
            ReadOnlySpan<byte> header = file.Slice(at, Block).Span;
            if (header.IndexOfAnyExcept((byte)0) < 0)
                break;
            if (!Recognizes(header) || Octal(header.Slice(124, 12)) is not long length)
                throw Bad(description, $"the header at byte {at} is damaged");
            if (length > file.Length - at - Block)
                throw Bad(description, "its last member was cut off");
            ReadOnlySpan<byte> name = header[..100];
            int end = name.IndexOf((byte)0);
            if (header[156] is 0 or (byte)'0')
                members[Path.GetFileName(Encoding.UTF8.GetString(end < 0 ? name : name[..end]))] = file.Slice(at + Block, length);
            at += Block + (length + Block - 1) / Block * Block;
        }
        return members;
    }

    private static long? Octal(ReadOnlySpan<byte> field)
    {
        long value = 0;
        bool any = false;
        foreach (byte c in field)
        {
            if (c is (byte)' ' or 0)
            {
                if (any)
                    break;
                continue;
            }
            if (c is < (byte)'0' or > (byte)'7')
                return null;
            value = value * 8 + (c - '0');
            any = true;
        }
        return any ? value : null;
    }

    /// <summary>The sum of the header's bytes, its own field counted as blanks.</summary>
    private static long Checksum(ReadOnlySpan<byte> header)
    {
        long sum = 8 * ' ';
        for (int i = 0; i < Block; i++)
            if (i is < 148 or >= 156)
                sum += header[i];
        return sum;
    }

    private static InputException Bad(string description, string problem) => new($"{description}: cannot be read", [problem]);
}
