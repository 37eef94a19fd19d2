using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Writes GGUF files of version 3, little-endian. Contents are streamed one tensor at a time.</summary>
public static class GgufWriter
{
    private const int Alignment = 32;

    /// <summary>Writes a file, all or nothing.</summary>
    /// <param name="path">Final place; an older file is replaced when the new one is complete.</param>
    /// <param name="metadata">
    /// Keys and values in their order: numbers of the width that the file shall have, <c>bool</c>, <c>string</c>, or arrays of one of these.
    /// </param>
    /// <param name="tensors">In the order of the file; shapes outermost first, as everywhere here.</param>
    /// <exception cref="InputException">The place cannot be written.</exception>
    /// <exception cref="ArgumentException">A name or key occurs twice, a value or type is none that GGUF has, or the number of bytes written does not fit.</exception>
    public static void Write(string path, IReadOnlyList<KeyValuePair<string, object>> metadata, IReadOnlyList<GgufEntry> tensors)
    {
        AtomicFile.Write(path, stream => Write(stream, metadata, tensors));
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Receives the whole file.</param>
    /// <param name="metadata">As in a file.</param>
    /// <param name="tensors">In the order of the file.</param>
    /// <exception cref="ArgumentException">A name or key occurs twice, a value or type is none that GGUF has, or the number of bytes written does not fit.</exception>
    public static void Write(Stream stream, IReadOnlyList<KeyValuePair<string, object>> metadata, IReadOnlyList<GgufEntry> tensors)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(tensors);
        if (Twice(metadata.Select(pair => pair.Key)) is { } twice)
            throw new ArgumentException($"two metadata entries are called {twice}");
        if (Twice(tensors.Select(tensor => tensor.Name)) is { } name)
            throw new ArgumentException($"two tensors are called {name}");
        using MemoryStream head = new();
        using BinaryWriter writer = new(head);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        foreach ((string key, object value) in metadata)
        {
            WriteText(writer, key);
            WriteValue(writer, key, value);
        }
        long offset = 0;
        foreach (GgufEntry tensor in tensors)
        {
            WriteText(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Count);
            for (int i = tensor.Shape.Count - 1; i >= 0; i--)
                writer.Write((ulong)tensor.Shape[i]);
            writer.Write(GgufTypes.NumberOf(tensor.Type) ?? throw new ArgumentException($"tensor {tensor.Name} is stored as {tensor.Type}, which GGUF cannot hold"));
            writer.Write((ulong)offset);
            offset = Padded(checked(offset + tensor.Bytes));
        }
        Pad(head, head.Length);
        head.WriteTo(stream);
        foreach (GgufEntry tensor in tensors)
        {
            CountingStream counted = new(stream);
            tensor.Write(counted);
            if (counted.Length != tensor.Bytes)
                throw new ArgumentException($"tensor {tensor.Name} wrote {counted.Length} bytes, its type and shape take {tensor.Bytes}");
            Pad(stream, counted.Length);
        }
    }

    private static string? Twice(IEnumerable<string> names) => names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any())?.Key;

    private static long Padded(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private static void Pad(Stream stream, long length)
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[Alignment];
        stream.Write(zeros[..(int)(Padded(length) - length)]);
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void WriteValue(BinaryWriter writer, string key, object value)
    {
        uint type = KindOf(value.GetType(), key);
        writer.Write(type);
        if (value is not Array list)
        {
            WriteScalar(writer, value);
            return;
        }
        writer.Write(KindOf(value.GetType().GetElementType()!, key));
        writer.Write((ulong)list.Length);
        foreach (object item in list)
            WriteScalar(writer, item);
    }

    private static uint KindOf(Type type, string key) => type switch
    {
        _ when type == typeof(byte) => 0,
        _ when type == typeof(sbyte) => 1,
        _ when type == typeof(ushort) => 2,
        _ when type == typeof(short) => 3,
        _ when type == typeof(uint) => 4,
        _ when type == typeof(int) => 5,
        _ when type == typeof(float) => 6,
        _ when type == typeof(bool) => 7,
        _ when type == typeof(string) => 8,
        _ when type.IsArray => 9,
        _ when type == typeof(ulong) => 10,
        _ when type == typeof(long) => 11,
        _ when type == typeof(double) => 12,
        _ => throw new ArgumentException($"metadata {key}: GGUF has no {type.Name}"),
    };

    private static void WriteScalar(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case byte number: writer.Write(number); break;
            case sbyte number: writer.Write(number); break;
            case ushort number: writer.Write(number); break;
            case short number: writer.Write(number); break;
            case uint number: writer.Write(number); break;
            case int number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case bool flag: writer.Write(flag); break;
            case string text: WriteText(writer, text); break;
            case ulong number: writer.Write(number); break;
            case long number: writer.Write(number); break;
            case double number: writer.Write(number); break;
            default: throw new ArgumentException($"an array of {value.GetType().Name} inside an array cannot be written");
        }
    }
}
