using System.Globalization;
using System.Runtime.InteropServices;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// What bitsandbytes saves beside a quantised weight X. Four bits: <c>X</c> (two indices to a byte), <c>X.absmax</c>, <c>X.quant_map</c>,
/// <c>X.quant_state.bitsandbytes__nf4</c> (JSON text), and with double quantisation <c>X.nested_absmax</c> and <c>X.nested_quant_map</c>. Eight bits:
/// <c>M.weight</c> and <c>M.SCB</c>, <c>M.weight_format</c>.
/// </summary>
internal sealed class BitsandbytesWeights(ITensorSource source, List<string> problems, List<string> remarks)
{
    /// <summary>What the key of a 4-bit weight's state holds before the type.</summary>
    public const string State = ".quant_state.bitsandbytes__";

    private static readonly string[] Companions = [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"];

    private readonly List<string> _widened = [];

    /// <summary>Every tensor that may belong to a 4-bit weight.</summary>
    public static IEnumerable<string> Parts(string name) => [name, name + State + "nf4", name + State + "fp4", .. Companions.Select(end => name + end)];

    /// <summary>Every such weight.</summary>
    public List<PackedWeight> Find()
    {
        List<PackedWeight> weights = [];
        foreach (string name in source.Names)
        {
            int at = name.IndexOf(State, StringComparison.Ordinal);
            if (at > 0 && FourBit(name[..at], name) is { } weight)
                weights.Add(weight);
            if (name.EndsWith(".weight", StringComparison.Ordinal) && source.Find(name) is { Type: DType.I8 or DType.U8 } packed && EightBit(packed) is { } row)
                weights.Add(row);
        }
        Remark(_widened);
        return weights;
    }

    private void Remark(List<string> widened)
    {
        if (widened.Count > 0)
            remarks.Add(string.Create(CultureInfo.InvariantCulture, $"{widened.Count} quantised weights are kept as f32, for their rows are not whole blocks of 64: {string.Join(", ", widened.Take(3))}{(widened.Count > 3 ? ", …" : "")}"));
    }

    private PackedWeight? FourBit(string name, string stateName)
    {
        int before = problems.Count;
        string typeName = stateName[(name.Length + State.Length)..];
        if (typeName is not ("nf4" or "fp4"))
        {
            problems.Add($"tensor {stateName}: the type \"{typeName}\" is not known; nf4 and fp4 are");
            return null;
        }
        JsonConfig state = ReadState(stateName);
        if (problems.Count > before)
            return null;
        int block = state.Int32("blocksize"), nestedBlock = state.Int32("nested_blocksize", NestedMagnitudes.Block);
        double offset = state.Number("nested_offset", 0);
        string stated = state.Text("quant_type", typeName);
        IReadOnlyList<double>? sizes = state.NumbersOrNull("shape");
        if (stated != typeName)
            state.Report("quant_type", $"found \"{stated}\", expected \"{typeName}\" as the tensor's name says");
        if (block < 2 || block % 2 != 0 || nestedBlock < 1)
            state.Report("blocksize", "an even number of elements was expected");
        if (sizes is not { Count: 2 } || sizes.Any(size => size is < 1 or > int.MaxValue || size != Math.Floor(size)))
            state.Report("shape", "two whole numbers [out, in] were expected");
        problems.AddRange(state.Problems.Select(problem => $"tensor {stateName}: {problem}"));
        if (problems.Count > before)
            return null;

        Shape shape = new((int)sizes![0], (int)sizes[1]);
        long blocks = (shape.Elements + block - 1) / block;
        StoredTensor? packed = source.Find(name), absmax = source.Find(name + ".absmax"), map = source.Find(name + ".quant_map");
        if (packed is null)
            problems.Add($"tensor {name} is missing; {stateName} describes it");
        else if (packed.Bytes.Length != (shape.Elements + 1) / 2)
            problems.Add($"tensor {name} has {packed.Bytes.Length} bytes, {shape} of four bits takes {(shape.Elements + 1) / 2}");
        if (map is not null)
            Expect(map, DType.F32, 16);
        if (absmax is null)
            problems.Add($"tensor {name}.absmax is missing: without the magnitudes of its blocks {name} cannot be read");
        else if (absmax.Type is not (DType.F32 or DType.U8))
            problems.Add($"tensor {absmax.Name} holds {absmax.Type}; magnitudes are F32, or U8 where they are quantised too");
        else
            Expect(absmax, absmax.Type, blocks);
        bool nested = absmax is { Type: DType.U8 };
        if (nested)
        {
            Expect(name + ".nested_absmax", (blocks + nestedBlock - 1) / nestedBlock);
            Expect(name + ".nested_quant_map", 256);
        }
        if (problems.Count > before)
            return null;

        DType type = (typeName, nested) switch { ("nf4", false) => DType.NF4, ("nf4", true) => DType.NF4DQ, ("fp4", false) => DType.FP4, _ => DType.FP4DQ };
        if (map is not null && !Floats(map).SequenceEqual(Bnb4.Levels(type)))
        {
            problems.Add($"tensor {map.Name} holds other levels than those of {typeName}");
            return null;
        }
        if (!PackedWeights.Bnb4Fits(shape, block))
            _widened.Add(name);
        return new PackedWeight(name, [name, stateName, .. Companions.Select(end => name + end)], shape.Elements, () =>
        {
            if (!nested)
                return Plain(type, Floats(absmax!));
            float[] magnitudes = Floats(source.Find(name + ".nested_absmax")!), nestedMap = Floats(source.Find(name + ".nested_quant_map")!);
            if (PackedWeights.Bnb4Fits(shape, block) && nestedBlock == NestedMagnitudes.Block && nestedMap.AsSpan().SequenceEqual(DynamicMap.Signed))
            {
                NestedMagnitudes asStored = new() { Codes = absmax!.Bytes.Span.ToArray(), Magnitudes = magnitudes, Offset = (float)offset };
                return new StoredTensor(name, type, shape.ToArray(), PackedWeights.Bnb4Nested(type, packed!.Bytes, asStored, block, shape));
            }
            // of another map, or other numbers of magnitudes together: what they stand for
            float[] restored = new float[blocks];
            NestedMagnitudes.Restore(nestedMap, absmax!.Bytes.Span, magnitudes, nestedBlock, (float)offset, restored);
            return Plain(type.WithoutNesting(), restored);
        });

        StoredTensor Plain(DType storage, float[] magnitudes)
        {
            NativeBytes bytes = PackedWeights.Bnb4(storage, packed!.Bytes, magnitudes, block, shape, out DType stored);
            return new StoredTensor(name, stored, shape.ToArray(), bytes);
        }
    }

    private JsonConfig ReadState(string name)
    {
        StoredTensor stored = source.Find(name)!;
        try
        {
            return stored.Bytes.Length < 1 << 16
                ? JsonConfig.Parse(stored.Bytes.Span, $"tensor {name}")
                : throw new InputException($"tensor {name} has {stored.Bytes.Length} bytes, a short JSON text was expected");
        }
        catch (InputException e)
        {
            problems.AddRange(e.Problems);
            return new JsonConfig([], name);
        }
    }

    private PackedWeight? EightBit(StoredTensor packed)
    {
        string module = packed.Name[..^".weight".Length];
        StoredTensor? magnitudes = source.Find(module + ".SCB"), format = source.Find(module + ".weight_format");
        if (packed.Type == DType.U8)
        {
            // bytes without a state are nobody's weight, unless the state alone is lost
            if (!source.Names.Any(name => name.StartsWith(packed.Name + State, StringComparison.Ordinal)) && Companions.Any(end => source.Find(packed.Name + end) is not null))
                problems.Add($"tensor {packed.Name}{State}nf4 (or fp4) is missing: without it nobody knows shape and type of {packed.Name}");
            return null;
        }
        if (magnitudes is null)
        {
            problems.Add($"tensor {module}.SCB is missing: without the magnitudes of its rows the 8-bit {packed.Name} cannot be read");
            return null;
        }
        if (packed.Shape.Count != 2 || packed.Shape.Any(size => size > int.MaxValue))
        {
            problems.Add($"tensor {packed.Name} is {packed.ShapeText}, a matrix was expected");
            return null;
        }
        int before = problems.Count;
        Expect(magnitudes, DType.F32, packed.Shape[0]);
        if (format is not null && format.Bytes.Length > 0 && format.Bytes.Span[0] != 0)
            problems.Add($"tensor {format.Name} is {format.Bytes.Span[0]}: only 0, the codes row by row, can be read. Save the model again with a newer bitsandbytes");
        if (problems.Count > before)
            return null;
        Shape shape = Shape.From(packed.Shape);
        if (shape.Columns % 64 != 0)
            _widened.Add(packed.Name);
        return new PackedWeight(packed.Name, [packed.Name, module + ".SCB", module + ".weight_format"], shape.Elements, () =>
        {
            NativeBytes bytes = PackedWeights.Int8Rows(packed.Bytes, Floats(magnitudes), shape, out DType stored);
            return new StoredTensor(packed.Name, stored, shape.ToArray(), bytes);
        });
    }

    private void Expect(string name, long count)
    {
        if (source.Find(name) is { } tensor)
            Expect(tensor, DType.F32, count);
        else
            problems.Add($"tensor {name} ({count} × F32) is missing");
    }

    private void Expect(StoredTensor tensor, DType type, long count)
    {
        if (tensor.Type != type || tensor.Elements != count)
            problems.Add($"tensor {tensor.Name} holds {tensor.Elements} × {tensor.Type}, {count} × {type} were expected");
    }

    // a file need not align its tensors
    private static float[] Floats(StoredTensor tensor)
    {
        float[] values = new float[tensor.Elements];
        tensor.Bytes.Span.CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
