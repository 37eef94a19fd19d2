using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// The three layouts that torch has saved files in: a zip archive (since 1.6), a row of pickles with the storages after them, and a tar archive
/// (before 0.1.10). Each gives one tree of values.
/// </summary>
internal sealed class TorchArchive
{
    private static readonly BigInteger Magic = BigInteger.Parse("119547037146038801333356", System.Globalization.CultureInfo.InvariantCulture);

    private static readonly string[] TarMembers = ["storages", "pickle"];

    private readonly NativeBytes _file;
    private readonly string _description;
    private readonly TorchGlobals _globals;
    private readonly Dictionary<string, TorchStorage> _storages = new(StringComparer.Ordinal);

    private TorchArchive(NativeBytes file, string description)
    {
        _file = file;
        _description = description;
        _globals = new TorchGlobals(description);
    }

    /// <summary>True where a file begins as one of the three layouts does, or as any binary pickle.</summary>
    public static bool Recognizes(ReadOnlySpan<byte> head) => IsZip(head) || head is [0x80, <= 5, ..] || TarDirectory.Recognizes(head);

    /// <summary>Reads the tree of values; every storage in it has its bytes.</summary>
    /// <exception cref="InputException">It is damaged, or needs what a file of tensors does not need.</exception>
    public static object? Read(NativeBytes file, string description)
    {
        TorchArchive archive = new(file, description);
        ReadOnlySpan<byte> head = file.Slice(0, Math.Min(512, file.Length)).Span;
        return IsZip(head) ? archive.ReadZip()
            : head is [0x80, <= 5, ..] ? archive.ReadRow()
            : TarDirectory.Recognizes(head) ? archive.ReadTar()
            : throw archive.Bad("it is not a file that torch saved: it is neither a zip archive, nor a pickle, nor a tar archive");
    }

    private static bool IsZip(ReadOnlySpan<byte> head) => head.StartsWith("PK\x03\x04"u8) || head.StartsWith("PK\x05\x06"u8);

    private object? ReadZip()
    {
        Dictionary<string, NativeBytes> members = ZipDirectory.Read(_file, _description);
        string pickle = members.Keys.FirstOrDefault(name => name == "data.pkl" || name.EndsWith("/data.pkl", StringComparison.Ordinal))
            ?? throw Bad("it is a zip archive without data.pkl: not one that torch saved");
        string folder = pickle[..^"data.pkl".Length];
        if (members.TryGetValue(folder + "byteorder", out NativeBytes order) && order.Length < 16 && Encoding.ASCII.GetString(order.Span) == "big")
            throw Bad("it was saved on a big-endian processor; only little-endian files are read");
        return PickleReader.Read(members[pickle], _globals, id => ZipStorage(id, folder, members), _description, out _);
    }

    /// <summary><c>("storage", type, key, location, elements)</c></summary>
    private TorchStorage ZipStorage(object? id, string folder, Dictionary<string, NativeBytes> members)
    {
        if (id is not (object[] and ["storage", PickleGlobal type, string key, _, long elements, ..]))
            throw Bad("a storage is described in an unknown way");
        TorchStorage storage = Storage(type, key, elements);
        if (storage.Bytes is not null)
            return storage;
        if (!members.TryGetValue(folder + "data/" + key, out NativeBytes bytes))
            throw Bad($"its member {folder}data/{key} is missing");
        Bind(storage, bytes);
        return storage;
    }

    private object? ReadRow()
    {
        long at = 0;
        if (Next(ref at) is not BigInteger magic || magic != Magic)
            throw Bad("it is a pickle, but not one that torch saved");
        if (Next(ref at) is not 1001L)
            throw Bad("it is of an unknown version of torch's old layout");
        if (Next(ref at) is PickleMap system && system.Get("little_endian") is false)
            throw Bad("it was saved on a big-endian processor; only little-endian files are read");
        List<(TorchStorage View, TorchStorage Root, long Offset)> views = [];
        object? root = PickleReader.Read(_file.Slice(at, _file.Length - at), _globals, id => RowStorage(id, views), _description, out long length);
        at += length;
        if (Next(ref at) is not List<object?> keys)
            throw Bad("the list of its storages is missing");
        foreach (object? key in keys)
        {
            if (_file.Length - at < 8)
                throw Bad($"its storage {key} was cut off");
            long elements = BinaryPrimitives.ReadInt64LittleEndian(_file.Slice(at, 8).Span);
            at += 8;
            if (key is not string name || !_storages.TryGetValue(name, out TorchStorage? storage))
                throw Bad($"its storage {key} belongs to no tensor, so its type is unknown");
            if (elements != storage.Elements)
                throw Bad($"its storage {key} has {elements} elements, {storage.Elements} were announced");
            long bytes = elements * storage.Type.BlockBytes();
            if (bytes > _file.Length - at)
                throw Bad($"its storage {key} takes {bytes} bytes, but only {_file.Length - at} follow: it was cut off");
            storage.Bytes = _file.Slice(at, bytes);
            at += bytes;
        }
        foreach ((TorchStorage view, TorchStorage whole, long offset) in views)
        {
            int size = view.Type.BlockBytes();
            NativeBytes bytes = whole.Bytes ?? throw Bad($"its storage {whole.Key} is missing");
            if (offset < 0 || offset > whole.Elements - view.Elements)
                throw Bad($"its storage {view.Key} does not lie in {whole.Key}");
            view.Bytes = bytes.Slice(offset * size, view.Elements * size);
        }
        if (_storages.Values.FirstOrDefault(storage => storage.Bytes is null) is { } lost)
            throw Bad($"its storage {lost.Key} is missing");
        return root;
    }

    private object? Next(ref long at)
    {
        object? value = PickleReader.Read(_file.Slice(at, _file.Length - at), _globals, _ => throw Bad("a storage is named outside the tensors"), _description, out long length);
        at += length;
        return value;
    }

    /// <summary><c>("storage", type, key, location, elements, view)</c>, where view is None or <c>(key, offset, elements)</c> of a part.</summary>
    private object? RowStorage(object? id, List<(TorchStorage View, TorchStorage Root, long Offset)> views)
    {
        if (id is object[] and ["module", ..])
            throw Bad("it holds a whole module; to rebuild it could run code, so nothing was run. Save model.state_dict() where it was made");
        if (id is not (object[] and ["storage", PickleGlobal type, string key, _, long elements, ..]))
            throw Bad("a storage is described in an unknown way");
        TorchStorage root = Storage(type, key, elements);
        if (id is not (object[] and [_, _, _, _, _, object[] and [string viewKey, long offset, long viewElements]]))
            return root;
        if (viewElements < 0 || viewElements > elements)
            throw Bad($"its storage {viewKey} does not lie in {key}");
        TorchStorage view = new(root.Type, viewKey, viewElements);
        views.Add((view, root, offset));
        return view;
    }

    private object? ReadTar()
    {
        Dictionary<string, NativeBytes> members = TarDirectory.Read(_file, _description);
        if (TarMembers.FirstOrDefault(name => !members.ContainsKey(name)) is { } missing)
            throw Bad($"it is a tar archive without {missing}: not one that torch saved");
        TarContents contents = new(_globals, _description);
        return contents.Read(members["storages"], members.GetValueOrDefault("tensors"), members["pickle"]);
    }

    private TorchStorage Storage(PickleGlobal type, string key, long elements)
    {
        if (TorchGlobals.StorageType(type) is not { } dtype)
            throw Bad($"its storage {key} is of the unknown type {type}");
        if (elements < 0 || elements > _file.Length)
            throw Bad($"its storage {key} claims {elements} elements in a file of {_file.Length} bytes");
        if (!_storages.TryGetValue(key, out TorchStorage? storage))
            _storages[key] = storage = new TorchStorage(dtype, key, elements);
        if (storage.Type != dtype || storage.Elements != elements)
            throw Bad($"its storage {key} is described in two ways");
        return storage;
    }

    private void Bind(TorchStorage storage, NativeBytes bytes)
    {
        long expected = storage.Elements * storage.Type.BlockBytes();
        if (bytes.Length < expected)
            throw Bad($"its storage {storage.Key} has {bytes.Length} bytes, expected {expected}");
        storage.Bytes = bytes.Slice(0, expected);
    }

    private InputException Bad(string problem) => new($"{_description}: cannot be read", [problem]);
}
