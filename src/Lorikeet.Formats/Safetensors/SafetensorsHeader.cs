using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// The JSON part of a safetensors file, checked against every rule of the format: known fields and types, sizes that fit their offsets without
/// overflow, data without holes or overlaps up to the last byte.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Longest header that the format allows.</summary>
    public const long LongestHeader = 100_000_000;

    private readonly List<string> _problems = [];
    private readonly OrderedDictionary<string, string> _metadata = [];
    private readonly List<Entry> _entries = [];

    private SafetensorsHeader() { }

    /// <summary>What one tensor's entry says; offsets count from the end of the header.</summary>
    public sealed record Entry(string Name, DType Type, long[] Shape, long Begin, long End);

    /// <summary>Tensors in the order of their data.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary><c>__metadata__</c>, in the order of the file.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Where the data begins in the file.</summary>
    public long DataStart { get; private set; }

    /// <summary>Reads and checks the header.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="description">What messages call it.</param>
    /// <exception cref="InputException">With every problem found.</exception>
    public static SafetensorsHeader Read(NativeBytes file, string description)
    {
        if (file.Length < 8)
            throw Bad(description, $"the file has {file.Length} bytes; a safetensors file begins with 8 bytes that give the length of its header. It is empty or was cut off: fetch it again");
        ulong length = BitConverter.ToUInt64(file.Slice(0, 8).Span);
        if (length > LongestHeader)
            throw Bad(description, string.Create(CultureInfo.InvariantCulture, $"its header claims {length} bytes; the format allows {LongestHeader}. It is not a safetensors file, or damaged"));
        if ((long)length > file.Length - 8)
            throw Bad(description, string.Create(CultureInfo.InvariantCulture, $"its header claims {length} bytes, but only {file.Length - 8} follow. It was cut off, or is not a safetensors file"));

        ReadOnlySpan<byte> json = file.Slice(8, (long)length).Span;
        if (!Utf8.IsValid(json))
            throw Bad(description, "its header is not UTF-8 text");
        SafetensorsHeader header = new() { DataStart = 8 + (long)length };
        try
        {
            header.Parse(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Bad(description, $"its header is not valid JSON ({e.Message})");
        }
        header.CheckData(file.Length - header.DataStart);
        if (header._problems.Count > 0)
            throw new InputException($"{description}: not a valid safetensors file", header._problems);
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        Utf8JsonReader reader = new(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("it must be an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (!names.Add(name))
                _problems.Add($"tensor \"{name}\": occurs twice in the header");
            reader.Read();
            if (name == "__metadata__")
                ParseMetadata(ref reader);
            else
                ParseEntry(ref reader, name);
        }
        while (reader.Read())
        {
            // anything but white space after the object throws
        }
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            _problems.Add("__metadata__: must be an object of strings");
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                _problems.Add($"__metadata__: the value of \"{key}\" must be a string");
                reader.Skip();
            }
            else if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                _problems.Add($"__metadata__: \"{key}\" occurs twice");
            }
        }
    }

    private void ParseEntry(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            _problems.Add($"tensor \"{name}\": must be an object with dtype, shape and data_offsets");
            reader.Skip();
            return;
        }
        int before = _problems.Count;
        string? dtype = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            reader.Read();
            bool twice = false;
            switch (field)
            {
                case "dtype":
                    twice = dtype is not null;
                    dtype = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
                    reader.Skip();
                    break;
                case "shape":
                    twice = shape is not null;
                    shape = WholeNumbers(ref reader, name, field);
                    break;
                case "data_offsets":
                    twice = offsets is not null;
                    offsets = WholeNumbers(ref reader, name, field);
                    break;
                default:
                    reader.Skip();
                    break;
            }
            if (twice)
                _problems.Add($"tensor \"{name}\": {field} occurs twice");
        }
        if (dtype is null || shape is null || offsets is null)
        {
            if (_problems.Count == before)
                _problems.Add($"tensor \"{name}\": {(dtype is null ? "dtype" : shape is null ? "shape" : "data_offsets")} is missing");
            return;
        }
        CheckEntry(name, dtype, [.. shape], offsets);
    }

    private List<long>? WholeNumbers(ref Utf8JsonReader reader, string name, string field)
    {
        List<long> numbers = [];
        bool good = reader.TokenType == JsonTokenType.StartArray;
        if (!good)
        {
            reader.Skip();
        }
        else
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number) && number >= 0)
                {
                    numbers.Add(number);
                    continue;
                }
                // beyond what a file can hold, but a whole number: the size check below says it better
                if (reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out ulong _))
                {
                    numbers.Add(long.MaxValue);
                    continue;
                }
                good = false;
                reader.Skip();
            }
        }
        if (!good)
            _problems.Add($"tensor \"{name}\": {field} must be a list of whole numbers of at least 0");
        return good ? numbers : null;
    }

    private void CheckEntry(string name, string dtype, long[] shape, List<long> offsets)
    {
        if (SafetensorsTypes.Parse(dtype) is not { } type)
        {
            _problems.Add($"tensor \"{name}\": unknown dtype \"{dtype}\"; known are {SafetensorsTypes.AllNames}");
            return;
        }
        if (offsets.Count != 2)
        {
            _problems.Add($"tensor \"{name}\": data_offsets must be two numbers [begin, end], found {offsets.Count}");
            return;
        }
        long begin = offsets[0], end = offsets[1];
        _entries.Add(new Entry(name, type, shape, begin, end));
        if (end < begin)
        {
            _problems.Add($"tensor \"{name}\": data_offsets [{begin}, {end}] end before they begin");
            return;
        }
        string sizes = "[" + string.Join(", ", shape) + "]";
        long bytes;
        try
        {
            long elements = shape.Aggregate(1L, (product, size) => checked(product * size));
            if (elements % type.BlockSize() != 0)
            {
                _problems.Add($"tensor \"{name}\": {elements} elements of {dtype} do not fill whole bytes");
                return;
            }
            bytes = type.Bytes(elements);
        }
        catch (OverflowException)
        {
            _problems.Add($"tensor \"{name}\": the shape {sizes} of {dtype} overflows 64 bits");
            return;
        }
        if (end - begin != bytes)
            _problems.Add($"tensor \"{name}\": {sizes} of {dtype} takes {bytes} bytes, its data_offsets [{begin}, {end}] give {end - begin}");
    }

    private void CheckData(long available)
    {
        bool readable = _problems.Count == 0;
        // an empty tensor may share its begin with the one after it
        _entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long reached = 0;
        foreach (Entry entry in _entries)
        {
            if (entry.Begin < reached)
                _problems.Add($"tensor \"{entry.Name}\": its data begin at {entry.Begin}, inside the tensor before it, which ends at {reached}");
            else if (entry.Begin > reached && readable)
                _problems.Add($"tensor \"{entry.Name}\": its data begin at {entry.Begin}, leaving a hole after {reached}");
            reached = Math.Max(reached, entry.End);
        }
        if (reached > available)
            _problems.Add($"the tensors end at byte {reached} of the data, but the file holds {available}: it was cut off");
        else if (reached < available && readable)
            _problems.Add($"the tensors end at byte {reached} of the data, but {available - reached} more bytes follow");
    }

    private static InputException Bad(string description, string problem) => new($"{description}: not a valid safetensors file", [problem]);
}
