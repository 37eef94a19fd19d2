using System.Globalization;
using System.Numerics;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// A file that <c>torch.save</c> wrote (<c>.bin</c>, <c>.pt</c>, <c>.pth</c>, of any age), memory-mapped and read without running anything it says.
/// <para>
/// The tree of dictionaries and lists in it becomes flat: <c>{"state_dict": {"fc": {"weight": …}}}</c> gives the tensor <c>state_dict.fc.weight</c>,
/// items of lists are called by their number, a lone tensor is called <c>tensor</c>. Contiguous tensors are views of the file; others are
/// copied when they are asked for, once.
/// </para>
/// </summary>
public sealed class TorchPickleFile : ITensorSource
{
    private const int MostDepth = 64;
    private const int MostItems = 300_000;

    private readonly MappedFile _file;
    private readonly List<string> _names = [];
    private readonly Dictionary<string, TorchTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StoredTensor> _read = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, object?> _values = [];
    private int _items;

    private TorchPickleFile(MappedFile file) => _file = file;

    /// <inheritdoc/>
    public string Description => _file.Path;

    /// <summary>Every tensor's name, in the order of the file.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>What lies beside the tensors, under the same kind of names: null, <c>bool</c>, <c>long</c>, <c>double</c>, <c>string</c>, <c>byte[]</c>.</summary>
    public IReadOnlyDictionary<string, object?> Values => _values;

    /// <summary>Maps a file and reads its pickle.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Takes only the part under this key of the outermost dictionary, such as <c>state_dict</c>, and drops the key from names.</param>
    /// <exception cref="InputException">It is damaged, lacks the key, or refers to code that a file of tensors does not need.</exception>
    public static TorchPickleFile Open(string path, string? key = null)
    {
        MappedFile mapped = MappedFile.Open(path);
        try
        {
            TorchPickleFile file = new(mapped);
            object? root = TorchArchive.Read(mapped.Bytes, path);
            if (key is not null)
                root = (root as PickleMap)?.Get(key) ?? throw new InputException($"{path}: has no \"{key}\" at its top; it has {Keys(root)}");
            file.Add("", root, 0);
            file.CheckTensors();
            return file;
        }
        catch
        {
            mapped.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public StoredTensor? Find(string name)
    {
        if (!_tensors.TryGetValue(name, out TorchTensor? tensor))
            return null;
        lock (_read)
        {
            if (!_read.TryGetValue(name, out StoredTensor? stored))
                _read[name] = stored = tensor.Read(name);
            return stored;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    internal static bool Recognizes(ReadOnlySpan<byte> head) => TorchArchive.Recognizes(head);

    private void Add(string name, object? value, int depth)
    {
        // one list may occur in many places of another, and that in many of a third …
        if (depth > MostDepth || ++_items > MostItems)
            throw new InputException($"{Description}: cannot be read", ["its dictionaries and lists are nested far more than tensors need: it is damaged, or made to do harm"]);
        switch (value)
        {
            case TorchTensor tensor:
                string full = name.Length == 0 ? "tensor" : name;
                if (!_tensors.TryAdd(full, tensor))
                    throw new InputException($"{Description}: cannot be read", [$"two of its tensors would be called {full}; open the part that you mean by its key"]);
                _names.Add(full);
                break;
            case PickleMap map:
                foreach ((object? key, object? item) in map.Items)
                    Add(Join(name, KeyName(key)), item, depth + 1);
                break;
            case IReadOnlyList<object?> list:
                for (int i = 0; i < list.Count; i++)
                    Add(Join(name, i.ToString(CultureInfo.InvariantCulture)), list[i], depth + 1);
                break;
            case BigInteger or PickleGlobal:
                _values[name] = value.ToString();
                break;
            case TorchStorage:
                break;
            default:
                _values[name] = value;
                break;
        }
    }

    private void CheckTensors()
    {
        List<string> problems = [];
        foreach (string name in _names)
            if (_tensors[name].Problem() is { } problem)
                problems.Add($"tensor {name}: {problem}");
        if (problems.Count > 0)
            throw new InputException($"{Description}: holds tensors that do not lie in their storages: it is damaged", [.. problems.Take(20)]);
    }

    private static string Join(string prefix, string name) => prefix.Length == 0 ? name : prefix + "." + name;

    private static string KeyName(object? key) => key switch
    {
        null => "None",
        string text => text,
        object?[] tuple => "(" + string.Join(", ", tuple.Select(item => (item is object?[]) ? "…" : KeyName(item))) + ")",
        _ => Convert.ToString(key, CultureInfo.InvariantCulture)!,
    };

    private static string Keys(object? root) => root is PickleMap map
        ? string.Join(", ", map.Items.Take(20).Select(item => KeyName(item.Key)))
        : "no dictionary at all";
}
