using System.Text;

namespace Lorikeet.Formats.Tests;

/// <summary>Builds GGUF files, right and wrong ones.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _pairs = [], _infos = [];
    private readonly List<byte[]> _data = [];
    private ulong _pairCount, _tensorCount, _offset;

    public uint Version { get; init; } = 3;

    public int Alignment { get; init; } = 32;

    public ulong ExtraTensors { get; init; }

    public ulong ExtraPairs { get; init; }

    public GgufBytes Pair(string key, uint type, params object[] values)
    {
        Text(_pairs, key);
        Put(_pairs, type);
        foreach (object value in values)
            Put(_pairs, value);
        _pairCount++;
        return this;
    }

    public GgufBytes Tensor(string name, uint type, ulong[] sizes, byte[] data, ulong? offset = null)
    {
        Text(_infos, name);
        Put(_infos, (uint)sizes.Length);
        foreach (ulong size in sizes)
            Put(_infos, size);
        Put(_infos, type);
        Put(_infos, offset ?? _offset);
        byte[] padded = new byte[(data.Length + Alignment - 1) / Alignment * Alignment];
        data.CopyTo(padded, 0);
        _data.Add(padded);
        _offset += (ulong)padded.Length;
        _tensorCount++;
        return this;
    }

    public byte[] ToArray()
    {
        List<byte> file = [.. "GGUF"u8];
        Put(file, Version);
        Put(file, _tensorCount + ExtraTensors);
        Put(file, _pairCount + ExtraPairs);
        file.AddRange(_pairs);
        file.AddRange(_infos);
        while (file.Count % Alignment != 0)
            file.Add(0);
        foreach (byte[] data in _data)
            file.AddRange(data);
        return file.ToArray();
    }

    private static void Put(List<byte> to, object value)
    {
        switch (value)
        {
            case string text: Text(to, text); break;
            case byte number: to.Add(number); break;
            case sbyte number: to.Add((byte)number); break;
            case bool flag: to.Add(flag ? (byte)1 : (byte)0); break;
            case ushort number: to.AddRange(BitConverter.GetBytes(number)); break;
            case short number: to.AddRange(BitConverter.GetBytes(number)); break;
            case uint number: to.AddRange(BitConverter.GetBytes(number)); break;
            case int number: to.AddRange(BitConverter.GetBytes(number)); break;
            case ulong number: to.AddRange(BitConverter.GetBytes(number)); break;
            case long number: to.AddRange(BitConverter.GetBytes(number)); break;
            case float number: to.AddRange(BitConverter.GetBytes(number)); break;
            case double number: to.AddRange(BitConverter.GetBytes(number)); break;
            default: throw new ArgumentException(value.GetType().Name);
        }
    }

    private static void Text(List<byte> to, string text)
    {
        to.AddRange(BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(text)));
        to.AddRange(Encoding.UTF8.GetBytes(text));
    }
}
