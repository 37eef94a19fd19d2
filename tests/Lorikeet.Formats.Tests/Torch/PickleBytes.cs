using System.IO.Compression;
using System.Text;

namespace Lorikeet.Formats.Tests;

/// <summary>Builds files as torch saves them, right and wrong ones, from pickle operations.</summary>
internal static class PickleBytes
{
    /// <summary>A pickle of the operations given: bytes and, as text, ASCII operations.</summary>
    public static byte[] Pickle(params object[] parts)
    {
        MemoryStream stream = new();
        stream.Write([0x80, 2]);
        foreach (object part in parts)
            stream.Write(part as byte[] ?? Encoding.Latin1.GetBytes((string)part));
        stream.WriteByte((byte)'.');
        return stream.ToArray();
    }

    /// <summary>Pushes a string.</summary>
    public static byte[] Text(string text) => [(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    /// <summary>Pushes a whole number.</summary>
    public static byte[] Int(long number) => [0x8a, 8, .. BitConverter.GetBytes(number)];

    /// <summary>Pushes a tuple of whole numbers.</summary>
    public static byte[] Tuple(params long[] numbers) => [(byte)'(', .. numbers.SelectMany(Int), (byte)'t'];

    /// <summary>Pushes a tensor of a storage.</summary>
    public static byte[] Tensor(string type, string key, long elements, long offset, long[] sizes, long[] strides) =>
    [
        .. "ctorch._utils\n_rebuild_tensor_v2\n(("u8, .. Text("storage"), .. Encoding.ASCII.GetBytes($"ctorch\n{type}\n"), .. Text(key), .. Text("cpu"), .. Int(elements), .. "tQ"u8,
        .. Int(offset), .. Tuple(sizes), .. Tuple(strides), 0x89, .. "ccollections\nOrderedDict\n)RtR"u8,
    ];

    /// <summary>A zip archive with a pickle and storages <c>0</c>, <c>1</c> …</summary>
    public static byte[] Zip(byte[] pickle, params byte[][] storages)
    {
        MemoryStream stream = new();
        using (ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(archive, "archive/data.pkl", pickle);
            for (int i = 0; i < storages.Length; i++)
                Add(archive, $"archive/data/{i}", storages[i]);
        }
        return stream.ToArray();
    }

    public static void Add(ZipArchive archive, string name, byte[] contents, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using Stream entry = archive.CreateEntry(name, level).Open();
        entry.Write(contents);
    }
}
