using System.Buffers.Binary;
using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Where the members of a zip archive lie in the file. torch stores its members uncompressed and aligned, so a tensor can be read in place, which the
/// runtime's own zip reader does not offer.
/// </summary>
internal static class ZipDirectory
{
    private const int EndLength = 22;
    private const uint EndSignature = 0x06054b50, End64Signature = 0x06064b50, Locator64Signature = 0x07064b50;
    private const uint MemberSignature = 0x02014b50, LocalSignature = 0x04034b50;

    /// <summary>Reads the directory.</summary>
    /// <param name="file">The whole archive.</param>
    /// <param name="description">What messages call it.</param>
    /// <returns>The contents of each member by name.</returns>
    /// <exception cref="InputException">The archive is damaged, cut off, or compressed.</exception>
    public static Dictionary<string, NativeBytes> Read(NativeBytes file, string description)
    {
        (long start, long length, long count) = FindDirectory(file, description);
        ReadOnlySpan<byte> directory = file.Slice(start, length).Span;
        Dictionary<string, NativeBytes> members = new(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            if (directory.Length < 46 || UInt32(directory) != MemberSignature)
                throw Bad(description, $"entry {i} of its directory is damaged");
            int nameLength = UInt16(directory[28..]), extraLength = UInt16(directory[30..]), commentLength = UInt16(directory[32..]);
            if (directory.Length < 46 + nameLength + extraLength + commentLength)
                throw Bad(description, $"entry {i} of its directory is damaged");
            string name = Encoding.UTF8.GetString(directory.Slice(46, nameLength));
            if ((UInt16(directory[8..]) & 1) != 0 || UInt16(directory[10..]) != 0)
                throw Bad(description, $"its member {name} is compressed or encrypted; torch stores members plain. Unpack and save it again");
            (long bytes, long header) = SizeAndPlace(directory, directory.Slice(46 + nameLength, extraLength));
            if (!members.TryAdd(name, Contents(file, name, bytes, header, description)))
                throw Bad(description, $"its member {name} occurs twice");
            directory = directory[(46 + nameLength + extraLength + commentLength)..];
        }
        return members;
    }

    private static (long Start, long Length, long Count) FindDirectory(NativeBytes file, string description)
    {
        long tailLength = Math.Min(file.Length, EndLength + ushort.MaxValue);
        ReadOnlySpan<byte> tail = file.Slice(file.Length - tailLength, tailLength).Span;
        for (int at = tail.Length - EndLength; at >= 0; at--)
        {
            ReadOnlySpan<byte> end = tail[at..];
            if (UInt32(end) != EndSignature || UInt16(end[20..]) != end.Length - EndLength)
                continue;
            ulong count = UInt16(end[10..]), length = UInt32(end[12..]), start = UInt32(end[16..]);
            long place = file.Length - tailLength + at;
            if (place >= 20 && UInt32(file.Slice(place - 20, 4).Span) == Locator64Signature)
            {
                ulong end64 = UInt64(file.Slice(place - 12, 8).Span);
                if (file.Length < 56 || end64 > (ulong)(file.Length - 56) || UInt32(file.Slice((long)end64, 4).Span) != End64Signature)
                    throw Bad(description, "its directory is damaged");
                ReadOnlySpan<byte> wide = file.Slice((long)end64, 56).Span;
                (count, length, start) = (UInt64(wide[32..]), UInt64(wide[40..]), UInt64(wide[48..]));
            }
            if (length > int.MaxValue || start > (ulong)file.Length || length > (ulong)file.Length - start || count > length / 46)
                throw Bad(description, "its directory does not lie in the file: it was cut off, or is damaged");
            return ((long)start, (long)length, (long)count);
        }
        throw Bad(description, "it begins like a zip archive, but has no directory at its end: it was cut off. Fetch it again");
    }

    private static (long Bytes, long Header) SizeAndPlace(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra)
    {
        ulong packed = UInt32(entry[20..]), bytes = UInt32(entry[24..]), header = UInt32(entry[42..]);
        while (extra.Length >= 4)
        {
            int id = UInt16(extra), length = UInt16(extra[2..]);
            if (length > extra.Length - 4)
                break;
            ReadOnlySpan<byte> wide = extra.Slice(4, length);
            if (id == 1)
            {
                Widen(ref bytes, ref wide);
                Widen(ref packed, ref wide);
                Widen(ref header, ref wide);
            }
            extra = extra[(4 + length)..];
        }
        // plain members take as many bytes as they hold
        return packed == bytes && bytes <= long.MaxValue && header <= long.MaxValue ? ((long)bytes, (long)header) : (-1, 0);

        static void Widen(ref ulong value, ref ReadOnlySpan<byte> wide)
        {
            if (value != uint.MaxValue || wide.Length < 8)
                return;
            value = UInt64(wide);
            wide = wide[8..];
        }
    }

    private static NativeBytes Contents(NativeBytes file, string name, long bytes, long header, string description)
    {
        if (bytes >= 0 && header <= file.Length - 30 && UInt32(file.Slice(header, 4).Span) == LocalSignature)
        {
            ReadOnlySpan<byte> local = file.Slice(header, 30).Span;
            long start = header + 30 + UInt16(local[26..]) + UInt16(local[28..]);
            if (start <= file.Length && bytes <= file.Length - start)
                return file.Slice(start, bytes);
        }
        throw Bad(description, $"its member {name} does not lie in the file: it was cut off, or is damaged");
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint UInt32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ulong UInt64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static InputException Bad(string description, string problem) => new($"{description}: cannot be read", [problem]);
}
