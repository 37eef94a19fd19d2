using System.Buffers.Binary;
using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Reads little-endian values one after another; running past the end is an error that says what was being read.</summary>
internal sealed class GgufReader(NativeBytes file, string description)
{
    private const int MostNesting = 4;

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes not read yet.</summary>
    public long Remaining => file.Length - Position;

    /// <summary>The next bytes.</summary>
    public ReadOnlySpan<byte> Take(long length, string what)
    {
        if (length > Remaining)
            throw Bad($"it ends at byte {file.Length} in the middle of {what}: it was cut off");
        if (length > int.MaxValue)
            throw Bad($"{what} takes {length} bytes, more than any model's metadata: it is damaged");
        ReadOnlySpan<byte> bytes = file.Slice(Position, length).Span;
        Position += length;
        return bytes;
    }

    /// <summary>A 32-bit number.</summary>
    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    /// <summary>A 64-bit number.</summary>
    public ulong UInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A count of things of which each takes at least some bytes: refused when the rest of the file cannot hold so many.</summary>
    public int Count(string what, long leastBytes)
    {
        ulong count = UInt64("the number of " + what);
        if (count > (ulong)(Remaining / leastBytes) || count > int.MaxValue)
            throw Bad($"it claims {count} {what}, but only {Remaining} bytes follow: it is damaged, or was cut off");
        return (int)count;
    }

    /// <summary>A string, its length before it.</summary>
    public string Text(string what)
    {
        ulong length = UInt64("the length of " + what);
        if (length > (ulong)Remaining || length > int.MaxValue)
            throw Bad($"{what} claims a length of {length} bytes, but only {Remaining} bytes follow");
        return Encoding.UTF8.GetString(Take((long)length, what));
    }

    /// <summary>A metadata value: a boxed number or bool, a string, or an array of one of these (arrays of arrays are <c>object[]</c>).</summary>
    public object Value(uint type, string key) => Value(type, key, 0);

    private object Value(uint type, string key, int depth) => type switch
    {
        0 => Take(1, key)[0],
        1 => (sbyte)Take(1, key)[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, key)),
        3 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, key)),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, key)),
        5 => BinaryPrimitives.ReadInt32LittleEndian(Take(4, key)),
        6 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, key)),
        7 => Take(1, key)[0] != 0,
        8 => Text(key),
        9 => Array(key, depth),
        10 => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, key)),
        11 => BinaryPrimitives.ReadInt64LittleEndian(Take(8, key)),
        12 => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key)),
        _ => throw Bad($"the metadata {key} has the unknown type {type}: it is damaged, or of a version that is not known yet"),
    };

    private Array Array(string key, int depth)
    {
        if (depth == MostNesting)
            throw Bad($"the metadata {key} nests arrays more than {MostNesting} deep");
        uint type = UInt32(key);
        return type switch
        {
            0 => Many(key, 1, bytes => bytes[0]),
            1 => Many(key, 1, bytes => (sbyte)bytes[0]),
            2 => Many(key, 2, BinaryPrimitives.ReadUInt16LittleEndian),
            3 => Many(key, 2, BinaryPrimitives.ReadInt16LittleEndian),
            4 => Many(key, 4, BinaryPrimitives.ReadUInt32LittleEndian),
            5 => Many(key, 4, BinaryPrimitives.ReadInt32LittleEndian),
            6 => Many(key, 4, BinaryPrimitives.ReadSingleLittleEndian),
            7 => Many(key, 1, bytes => bytes[0] != 0),
            8 => Texts(key),
            9 => Arrays(key, depth),
            10 => Many(key, 8, BinaryPrimitives.ReadUInt64LittleEndian),
            11 => Many(key, 8, BinaryPrimitives.ReadInt64LittleEndian),
            12 => Many(key, 8, BinaryPrimitives.ReadDoubleLittleEndian),
            _ => throw Bad($"the metadata {key} is an array of the unknown type {type}"),
        };
    }

    private delegate T Convert<T>(ReadOnlySpan<byte> bytes);

    private T[] Many<T>(string key, int size, Convert<T> convert)
    {
        int count = Count("elements of " + key, size);
        ReadOnlySpan<byte> bytes = Take((long)count * size, key);
        T[] values = new T[count];
        for (int i = 0; i < count; i++)
            values[i] = convert(bytes.Slice(i * size, size));
        return values;
    }

    private string[] Texts(string key)
    {
        string[] values = new string[Count("elements of " + key, 8)];
        for (int i = 0; i < values.Length; i++)
            values[i] = Text(key);
        return values;
    }

    private object[] Arrays(string key, int depth)
    {
        object[] values = new object[Count("elements of " + key, 12)];
        for (int i = 0; i < values.Length; i++)
            values[i] = Array(key, depth + 1);
        return values;
    }

    /// <summary>A problem that ends the reading.</summary>
    public InputException Bad(string problem) => new($"{description}: not a readable GGUF file", [problem]);
}
