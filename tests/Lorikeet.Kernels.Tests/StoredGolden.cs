using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lorikeet.Kernels.Tests;

/// <summary>A safetensors file of reference numbers, read without the room that reads such files for users.</summary>
internal sealed class StoredGolden
{
    private readonly byte[] _file;
    private readonly JsonElement _header;
    private readonly int _data;

    public StoredGolden(string path)
    {
        _file = File.ReadAllBytes(path);
        int length = (int)BitConverter.ToUInt64(_file);
        _header = JsonDocument.Parse(_file.AsMemory(8, length)).RootElement.Clone();
        _data = 8 + length;
    }

    public IEnumerable<string> Names => _header.EnumerateObject().Select(entry => entry.Name).Where(name => name != "__metadata__");

    public bool Has(string name) => _header.TryGetProperty(name, out _);

    public int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    public string Type(string name) => _header.GetProperty(name).GetProperty("dtype").GetString()!;

    public byte[] Bytes(string name)
    {
        int[] offsets = [.. _header.GetProperty(name).GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt32())];
        return _file[(_data + offsets[0])..(_data + offsets[1])];
    }

    /// <summary>Any floating-point tensor, widened.</summary>
    public float[] Floats(string name)
    {
        byte[] bytes = Bytes(name);
        return Type(name) switch
        {
            "F32" => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            "F16" => [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(value => (float)value)],
            "BF16" => [.. MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(value => BitConverter.UInt32BitsToSingle((uint)value << 16))],
            string other => throw new InvalidDataException($"{name} holds {other}"),
        };
    }
}
