using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Writes safetensors files byte for byte as the reference library does: widest storage types first and names by code point inside a type, the header
/// compact and padded with spaces to eight bytes, nothing between the tensors. Contents are streamed one tensor at a time.
/// </summary>
public static class SafetensorsWriter
{
    /// <summary>The metadata that torch programs look for.</summary>
    public static IReadOnlyDictionary<string, string> TorchFormat { get; } = new Dictionary<string, string> { ["format"] = "pt" };

    /// <summary>Writes a file, all or nothing.</summary>
    /// <param name="path">Final place; an older file is replaced when the new one is complete.</param>
    /// <param name="tensors">In any order.</param>
    /// <param name="metadata"><c>__metadata__</c>; <see cref="TorchFormat"/> for what torch programs read, null for none.</param>
    /// <exception cref="InputException">The place cannot be written.</exception>
    /// <exception cref="ArgumentException">A name occurs twice, or a type or the number of bytes written does not fit.</exception>
    public static void Write(string path, IEnumerable<SafetensorsEntry> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        SafetensorsEntry[] sorted = Sorted(tensors);
        AtomicFile.Write(path, stream => Write(stream, sorted, metadata));
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Receives the whole file.</param>
    /// <param name="tensors">In any order.</param>
    /// <param name="metadata"><c>__metadata__</c>, or null for none.</param>
    /// <exception cref="ArgumentException">A name occurs twice, or a type or the number of bytes written does not fit.</exception>
    public static void Write(Stream stream, IEnumerable<SafetensorsEntry> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Write(stream, Sorted(tensors), metadata);
    }

    private static void Write(Stream stream, SafetensorsEntry[] sorted, IReadOnlyDictionary<string, string>? metadata)
    {
        byte[] header = Header(sorted, metadata);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (SafetensorsEntry tensor in sorted)
        {
            CountingStream counted = new(stream);
            tensor.Write(counted);
            if (counted.Length != tensor.Bytes)
                throw new ArgumentException($"tensor \"{tensor.Name}\" wrote {counted.Length} bytes, its type and shape take {tensor.Bytes}");
        }
    }

    private static SafetensorsEntry[] Sorted(IEnumerable<SafetensorsEntry> tensors)
    {
        SafetensorsEntry[] sorted = [.. tensors
            .OrderByDescending(tensor => SafetensorsTypes.Rank(tensor.Type))
            .ThenBy(tensor => tensor.Name, CodePointOrder.Instance)];
        HashSet<string> names = new(StringComparer.Ordinal) { "__metadata__" };
        foreach (SafetensorsEntry tensor in sorted)
        {
            if (SafetensorsTypes.Rank(tensor.Type) < 0)
                throw new ArgumentException($"tensor \"{tensor.Name}\" is stored as {tensor.Type}, which safetensors cannot hold: widen it first");
            if (!names.Add(tensor.Name))
                throw new ArgumentException($"two tensors are called \"{tensor.Name}\", or the name is reserved");
        }
        return sorted;
    }

    private static byte[] Header(SafetensorsEntry[] sorted, IReadOnlyDictionary<string, string>? metadata)
    {
        StringBuilder json = new("{");
        if (metadata is not null)
        {
            json.Append("\"__metadata__\":{");
            foreach ((string key, string value) in metadata)
            {
                if (json[^1] != '{')
                    json.Append(',');
                AppendString(json, key);
                json.Append(':');
                AppendString(json, value);
            }
            json.Append('}');
        }
        long offset = 0;
        foreach (SafetensorsEntry tensor in sorted)
        {
            if (json.Length > 1)
                json.Append(',');
            long end = checked(offset + tensor.Bytes);
            AppendString(json, tensor.Name);
            json.Append(CultureInfo.InvariantCulture, $":{{\"dtype\":\"{SafetensorsTypes.NameOf(tensor.Type)}\",\"shape\":[{string.Join(',', tensor.Shape)}],\"data_offsets\":[{offset},{end}]}}");
            offset = end;
        }
        json.Append('}');
        string text = json.ToString();
        int bytes = Encoding.UTF8.GetByteCount(text);
        byte[] header = new byte[(bytes + 7) / 8 * 8];
        if (header.Length > SafetensorsHeader.LongestHeader)
            throw new ArgumentException($"the header would take {header.Length} bytes, the format allows {SafetensorsHeader.LongestHeader}");
        Encoding.UTF8.GetBytes(text, header);
        header.AsSpan(bytes).Fill((byte)' ');
        return header;
    }

    /// <summary>Escapes only what JSON must.</summary>
    private static void AppendString(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => json.Append(c),
            };
        }
        json.Append('"');
    }
}
