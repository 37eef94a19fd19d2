using System.Text;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>The Python names that files of tensors refer to, and what each makes. Every other name is refused, by name.</summary>
internal sealed class TorchGlobals(string description)
{
    private static readonly Dictionary<string, DType> Storages = new(StringComparer.Ordinal)
    {
        ["FloatStorage"] = DType.F32,
        ["DoubleStorage"] = DType.F64,
        ["HalfStorage"] = DType.F16,
        ["BFloat16Storage"] = DType.BF16,
        ["LongStorage"] = DType.I64,
        ["IntStorage"] = DType.I32,
        ["ShortStorage"] = DType.I16,
        ["CharStorage"] = DType.I8,
        ["ByteStorage"] = DType.U8,
        ["BoolStorage"] = DType.Bool,
        ["ComplexFloatStorage"] = DType.C64,
        ["UntypedStorage"] = DType.U8,
    };

    private static readonly Dictionary<string, DType> Types = new(StringComparer.Ordinal)
    {
        ["float32"] = DType.F32,
        ["float64"] = DType.F64,
        ["float16"] = DType.F16,
        ["bfloat16"] = DType.BF16,
        ["float8_e4m3fn"] = DType.F8E4M3,
        ["float8_e5m2"] = DType.F8E5M2,
        ["float8_e8m0fnu"] = DType.F8E8M0,
        ["int64"] = DType.I64,
        ["int32"] = DType.I32,
        ["int16"] = DType.I16,
        ["int8"] = DType.I8,
        ["uint64"] = DType.U64,
        ["uint32"] = DType.U32,
        ["uint16"] = DType.U16,
        ["uint8"] = DType.U8,
        ["bool"] = DType.Bool,
        ["complex64"] = DType.C64,
    };

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
        "builtins.set", "builtins.frozenset", "builtins.list", "builtins.tuple", "builtins.dict", "builtins.bytearray",
        "builtins.int", "builtins.float", "builtins.str", "builtins.bool",
        "_codecs.encode",
        "torch.Size", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.serialization._get_layout",
        "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch._tensor._rebuild_from_type_v2",
    };

    /// <summary>Accepts a name, or refuses it.</summary>
    /// <exception cref="InputException">Files of tensors do not need this name.</exception>
    public PickleGlobal Resolve(PickleGlobal global)
    {
        // Python 2 and 3 call one module differently
        if (global.Module == "__builtin__")
            global = global with { Module = "builtins" };
        bool known = Known.Contains(global.ToString())
            || StorageType(global) is not null
            || (global.Module == "torch" && Types.ContainsKey(global.Name))
            || IsTensorType(global);
        return known ? global : throw Bad(
            $"it refers to {global}, which a file of tensors does not need; to follow it could run code, so nothing was run. "
            + "Save only the tensors where it was made (model.state_dict()), best as safetensors");
    }

    /// <summary>Finds a storage by its description where a pickle gives that in the storage's place (some tar archives do).</summary>
    public Func<object[], TorchStorage>? Described { get; set; }

    /// <summary>What a call of a known name makes.</summary>
    public object? Call(PickleGlobal function, object?[] arguments)
    {
        if (Described is not null && arguments is [object[] and ["storage", ..] place, ..])
            arguments = [Described(place), .. arguments[1..]];
        switch (function.ToString(), arguments)
        {
            case ("collections.OrderedDict" or "collections.Counter" or "builtins.dict", []):
            case ("collections.defaultdict", _):
                return new PickleMap();
            case ("collections.OrderedDict" or "builtins.dict", [List<object?> pairs]):
                return FromPairs(pairs);
            case ("collections.Counter" or "builtins.dict", [PickleMap map]):
                return map;
            case ("builtins.set" or "builtins.frozenset" or "builtins.list", [List<object?> items]):
                return items;
            case ("builtins.set" or "builtins.frozenset" or "builtins.list", []):
                return new List<object?>();
            case ("builtins.tuple" or "torch.Size", [object?[] items]):
                return items;
            case ("builtins.tuple" or "torch.Size", [List<object?> items]):
                return items.ToArray();
            case ("builtins.bytearray", [byte[] bytes]):
                return bytes;
            case ("_codecs.encode", [string text, "latin1" or "latin-1"]):
                return Encoding.Latin1.GetBytes(text);
            case ("torch.device" or "torch.serialization._get_layout", [string text, ..]):
                return text;
            case ("torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2", [TorchStorage storage, long offset, object?[] sizes, object?[] strides, ..]):
                return Tensor(storage, storage.Type, offset, sizes, strides);
            case ("torch._utils._rebuild_tensor_v3", [TorchStorage storage, long offset, object?[] sizes, object?[] strides, _, _, PickleGlobal { Module: "torch" } type, ..])
                when Types.TryGetValue(type.Name, out DType dtype):
                return Tensor(storage, dtype, offset, sizes, strides);
            case ("torch._utils._rebuild_parameter" or "torch._utils._rebuild_parameter_with_state" or "torch.nn.parameter.Parameter", [TorchTensor data, ..]):
                return data;
            case ("torch._tensor._rebuild_from_type_v2", [PickleGlobal inner, PickleGlobal, object?[] given, ..]):
                return Call(inner, given);
            default:
                throw Bad($"it calls {function} with arguments that are not those of a file of tensors; nothing was run");
        }
    }

    /// <summary>Sets attributes of an object: those that state dicts and parameters carry are of no use here and are passed over.</summary>
    public object? Build(object? target, object? state) => target is PickleMap or TorchTensor or List<object?>
        ? target
        : throw Bad($"it sets attributes ({(state is PickleMap ? "a dictionary" : "some state")}) of something that is neither a dictionary nor a tensor; nothing was run");

    /// <summary>The element type of a storage class; null where the name is none.</summary>
    public static DType? StorageType(PickleGlobal global) =>
        global.Module is "torch" or "torch.cuda" or "torch.storage" && Storages.TryGetValue(global.Name, out DType type) ? type : null;

    private static bool IsTensorType(PickleGlobal global) =>
        global.Module is "torch" or "torch.cuda"
        && global.Name.EndsWith("Tensor", StringComparison.Ordinal)
        && Storages.ContainsKey(global.Name[..^"Tensor".Length] + "Storage");

    private TorchTensor Tensor(TorchStorage storage, DType type, long offset, object?[] sizes, object?[] strides)
    {
        if (!sizes.All(size => size is long) || !strides.All(stride => stride is long))
            throw Bad("a tensor's sizes or strides are not whole numbers");
        return new TorchTensor(storage, type, offset, [.. sizes.Cast<long>()], [.. strides.Cast<long>()]);
    }

    private PickleMap FromPairs(List<object?> pairs)
    {
        PickleMap map = new();
        foreach (object? pair in pairs)
        {
            (object? key, object? value) = pair switch
            {
                object[] and [var k, var v] => (k, v),
                List<object?> and [var k, var v] => (k, v),
                _ => throw Bad("a dictionary is made of something that is not pairs"),
            };
            map.Set(key, value);
        }
        return map;
    }

    private InputException Bad(string problem) => new($"{description}: cannot be read", [problem]);
}
