using System.Numerics;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// A GGUF file of version 2 or 3, memory-mapped. Tensors keep their names and stored blocks; sizes are given outermost first, the reverse of the file's
/// own order, so that a linear layer is <c>[out, in]</c> everywhere. Nothing that the file claims about itself is believed before it is checked.
/// </summary>
public sealed class GgufFile : ITensorSource
{
    private const int MostDimensions = 4;

    private readonly MappedFile _file;
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    private GgufFile(MappedFile file)
    {
        _file = file;
        Metadata = new GgufMetadata(file.Path);
    }

    private sealed record Info(string Name, ulong[] Sizes, uint Type, ulong Offset);

    /// <inheritdoc/>
    public string Description => _file.Path;

    /// <summary>Every name, in the order of the file.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>What the file says about the model and its tokenizer.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>2 or 3; they differ in nothing that a little-endian reader sees.</summary>
    public int Version { get; private set; }

    /// <summary>Where tensors may begin: a power of two, 32 unless <c>general.alignment</c> says otherwise.</summary>
    public long Alignment { get; private set; } = 32;

    /// <summary>Maps a file and checks metadata and tensors completely.</summary>
    /// <exception cref="InputException">It cannot be read, is damaged or of a kind that is not read; the message holds every problem.</exception>
    public static GgufFile Open(string path)
    {
        MappedFile mapped = MappedFile.Open(path);
        try
        {
            GgufFile file = new(mapped);
            file.Read();
            return file;
        }
        catch
        {
            mapped.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public StoredTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    internal static bool Recognizes(ReadOnlySpan<byte> head) => head.StartsWith("GGUF"u8);

    private void Read()
    {
        GgufReader reader = new(_file.Bytes, _file.Path);
        ReadOnlySpan<byte> magic = reader.Take(4, "its first four bytes");
        if (!Recognizes(magic))
            throw reader.Bad(Older(magic)
                ? "it is of a ggml format older than GGUF; convert it with the tools of its time, or fetch a GGUF file"
                : "it does not begin with the letters GGUF");
        uint version = reader.UInt32("its version");
        if (version is not (2 or 3))
            throw reader.Bad(version == 1 ? "it is of version 1, which a few files of August 2023 have; versions 2 and 3 are read. Fetch a newer conversion"
                : (version & 0xFFFF) == 0 ? "it is big-endian, made for another kind of processor; only little-endian files are read"
                : $"it is of version {version}; versions 2 and 3 are read");
        Version = (int)version;

        // a tensor: name length, dimensions, type, offset; a pair: key length, type, one byte
        int tensors = reader.Count("tensors", 24);
        int pairs = reader.Count("metadata entries", 13);
        for (int i = 0; i < pairs; i++)
        {
            string key = reader.Text("a metadata key");
            uint type = reader.UInt32("the type of " + key);
            if (!Metadata.TryAdd(key, reader.Value(type, key)))
                throw reader.Bad($"the metadata {key} occurs twice");
        }
        if (Metadata.Integer("general.alignment") is long alignment)
        {
            if (alignment is <= 0 or > 1 << 30 || !BitOperations.IsPow2(alignment))
                throw reader.Bad($"general.alignment is {alignment}, expected a power of two");
            Alignment = alignment;
        }

        List<Info> infos = [];
        for (int i = 0; i < tensors; i++)
            infos.Add(ReadInfo(reader));
        long start = (reader.Position + Alignment - 1) / Alignment * Alignment;
        AddTensors(infos, start);
    }

    private static Info ReadInfo(GgufReader reader)
    {
        string name = reader.Text("a tensor's name");
        uint dimensions = reader.UInt32("the dimensions of " + name);
        if (dimensions > MostDimensions)
            throw reader.Bad($"tensor {name} claims {dimensions} dimensions; ggml has at most {MostDimensions}");
        ulong[] sizes = new ulong[dimensions];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = reader.UInt64("the sizes of " + name);
        return new Info(name, sizes, reader.UInt32("the type of " + name), reader.UInt64("the offset of " + name));
    }

    private void AddTensors(List<Info> infos, long start)
    {
        List<string> problems = [];
        foreach (Info info in infos)
        {
            if (Problem(info, start, out StoredTensor? tensor) is { } problem)
                problems.Add($"tensor {info.Name}: {problem}");
            else if (!_tensors.TryAdd(info.Name, tensor!))
                problems.Add($"tensor {info.Name}: occurs twice");
            else
                _names.Add(info.Name);
        }
        if (problems.Count == 0)
            FindOverlaps(infos, problems);
        if (problems.Count > 0)
            throw new InputException($"{_file.Path}: not a readable GGUF file", problems);
    }

    private string? Problem(Info info, long start, out StoredTensor? tensor)
    {
        tensor = null;
        if (GgufTypes.Parse(info.Type) is not { } type)
            return $"is stored as {GgufTypes.NameOf(info.Type)}, which is not read; fetch the model in another quantisation, such as Q8_0, Q4_K_M or F16";
        long[] shape = new long[info.Sizes.Length];
        long elements = 1;
        string sizes = string.Join(" × ", info.Sizes);
        for (int i = 0; i < shape.Length; i++)
        {
            ulong size = info.Sizes[i];
            if (size > long.MaxValue || (size > 0 && elements > long.MaxValue / 8 / (long)size))
                return $"its sizes {sizes} are more than any file can hold";
            elements *= (long)size;
            shape[shape.Length - 1 - i] = (long)size;
        }
        if (shape.Length > 0 && shape[^1] % type.BlockSize() != 0)
            return $"its rows have {shape[^1]} elements, but {type} stores {type.BlockSize()} together";
        if (elements % type.BlockSize() != 0)
            return $"it has {elements} elements, but {type} stores {type.BlockSize()} together";
        long bytes = type.Bytes(elements);
        if (info.Offset % (ulong)Alignment != 0)
            return $"its offset {info.Offset} is not a multiple of the alignment {Alignment}";
        long available = _file.Length - start;
        if (bytes > 0 && (info.Offset > long.MaxValue || (long)info.Offset > available - bytes))
            return $"its {bytes} bytes at offset {info.Offset} do not lie in the file, which has {Math.Max(0, available)} bytes of data: it was cut off, or is damaged";
        NativeBytes contents = bytes == 0 ? _file.Bytes.Slice(0, 0) : _file.Bytes.Slice(start + (long)info.Offset, bytes);
        tensor = new StoredTensor(info.Name, type, shape, contents);
        return null;
    }

    private void FindOverlaps(List<Info> infos, List<string> problems)
    {
        ulong reached = 0;
        string before = "";
        foreach (Info info in infos.Where(info => _tensors[info.Name].Bytes.Length > 0).OrderBy(info => info.Offset))
        {
            if (info.Offset < reached)
                problems.Add($"tensor {info.Name}: its data at offset {info.Offset} overlap those of {before}");
            reached = info.Offset + (ulong)_tensors[info.Name].Bytes.Length;
            before = info.Name;
        }
    }

    private static bool Older(ReadOnlySpan<byte> magic) =>
        magic.SequenceEqual("lmgg"u8) || magic.SequenceEqual("fmgg"u8) || magic.SequenceEqual("tjgg"u8) || magic.SequenceEqual("algg"u8);
}
