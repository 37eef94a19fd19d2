using System.Buffers.Binary;
using System.Globalization;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// torch's first layout: a member of storages, one of tensors (pickled descriptions with raw numbers between them), and a pickle that names tensors by
/// number.
/// </summary>
internal sealed class TarContents(TorchGlobals globals, string description)
{
    private readonly Dictionary<string, TorchStorage> _storages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TorchTensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Reads the members in the order in which they need each other; that of tensors may be empty.</summary>
    public object? Read(NativeBytes storages, NativeBytes tensors, NativeBytes pickle)
    {
        ReadStorages(storages);
        if (tensors.Length > 0)
            ReadTensors(tensors);
        globals.Described = storage => storage is [_, _, string key, ..] && _storages.TryGetValue(key, out TorchStorage? found)
            ? found
            : throw Bad("its pickle refers to a storage that is not there");
        return PickleReader.Read(pickle, globals, Resolve, description, out _);
    }

    /// <summary>A count, then for each <c>(key, location, type)</c>, a 64-bit number of elements and the elements; then a list of views.</summary>
    private void ReadStorages(NativeBytes member)
    {
        long at = 0;
        long count = Next(member, ref at) is long number ? number : throw Bad("the number of its storages is damaged");
        for (long i = 0; i < count; i++)
        {
            if (Next(member, ref at) is not (object[] and [object key, _, PickleGlobal type]) || TorchGlobals.StorageType(type) is not { } dtype)
                throw Bad("a storage is described in an unknown way");
            long elements = Int64(member, ref at);
            int size = dtype.BlockBytes();
            if (elements < 0 || elements > (member.Length - at) / size)
                throw Bad($"its storage {key} claims {elements} elements, but only {member.Length - at} bytes follow");
            _storages[Name(key)] = new TorchStorage(dtype, Name(key), elements) { Bytes = member.Slice(at, elements * size) };
            at += elements * size;
        }
        if (at == member.Length || Next(member, ref at) is not List<object?> views)
            return;
        foreach (object? view in views)
        {
            if (view is not (object[] and [object target, object root, long offset, long elements]) || !_storages.TryGetValue(Name(root), out TorchStorage? whole)
                || offset < 0 || elements < 0 || elements > whole.Elements - offset)
                throw Bad("a part of a storage is described in an unknown way");
            int size = whole.Type.BlockBytes();
            _storages[Name(target)] = new TorchStorage(whole.Type, Name(target), elements) { Bytes = whole.Bytes!.Value.Slice(offset * size, elements * size) };
        }
    }

    /// <summary>
    /// A count, then for each <c>(key, storage, type)</c>, the number of dimensions in 32 bits, four unused bytes, and in 64 bits each the sizes, the
    /// strides and the offset.
    /// </summary>
    private void ReadTensors(NativeBytes member)
    {
        long at = 0;
        long count = Next(member, ref at) is long number ? number : throw Bad("the number of its tensors is damaged");
        for (long i = 0; i < count; i++)
        {
            if (Next(member, ref at) is not (object[] and [object key, object storageKey, _]) || !_storages.TryGetValue(Name(storageKey), out TorchStorage? storage))
                throw Bad("a tensor is described in an unknown way");
            long dimensions = Int64(member, ref at) & uint.MaxValue;
            if (dimensions > (member.Length - at) / 16)
                throw Bad($"its tensor {key} claims {dimensions} dimensions");
            long[] sizes = new long[dimensions], strides = new long[dimensions];
            for (int d = 0; d < sizes.Length; d++)
                sizes[d] = Int64(member, ref at);
            for (int d = 0; d < strides.Length; d++)
                strides[d] = Int64(member, ref at);
            _tensors[Name(key)] = new TorchTensor(storage, storage.Type, Int64(member, ref at), sizes, strides);
        }
    }

    private object? Resolve(object? id)
    {
        if (id is not null && _tensors.TryGetValue(Name(id), out TorchTensor? tensor))
            return tensor;
        if (id is not null && _storages.TryGetValue(Name(id), out TorchStorage? storage))
            return storage;
        throw Bad($"its pickle refers to the tensor {id}, which is not there");
    }

    private object? Next(NativeBytes member, ref long at)
    {
        object? value = PickleReader.Read(member.Slice(at, member.Length - at), globals, _ => throw Bad("a storage is named outside the tensors"), description, out long length);
        at += length;
        return value;
    }

    private long Int64(NativeBytes member, ref long at)
    {
        if (member.Length - at < 8)
            throw Bad("it was cut off");
        at += 8;
        return BinaryPrimitives.ReadInt64LittleEndian(member.Slice(at - 8, 8).Span);
    }

    private static string Name(object key) => Convert.ToString(key, CultureInfo.InvariantCulture)!;

    private InputException Bad(string problem) => new($"{description}: cannot be read", [problem]);
}
