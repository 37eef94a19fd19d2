using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// One <c>.safetensors</c> file, memory-mapped: its tensors are views of the file and live until it is disposed of. Their data need not be aligned to
/// their elements (older writers did not care).
/// </summary>
public sealed class SafetensorsFile : ITensorSource
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, StoredTensor> _tensors;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header)
    {
        _file = file;
        Metadata = header.Metadata;
        Names = [.. header.Entries.Select(entry => entry.Name)];
        _tensors = header.Entries.ToDictionary(
            entry => entry.Name,
            entry => new StoredTensor(entry.Name, entry.Type, entry.Shape, file.Bytes.Slice(header.DataStart + entry.Begin, entry.End - entry.Begin)),
            StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public string Description => _file.Path;

    /// <summary>Every name, in the order of the data.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The free-form strings of <c>__metadata__</c>, in the order of the file; <c>format</c> is "pt" for anything written for torch.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Maps a file and checks its header completely.</summary>
    /// <exception cref="InputException">It cannot be read or breaks a rule of the format; the message holds every problem.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return new SafetensorsFile(file, SafetensorsHeader.Read(file.Bytes, path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public StoredTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
