using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>What GPTQ and AWQ save for a module M: <c>M.qweight</c>, <c>M.qzeros</c>, <c>M.scales</c>, and GPTQ <c>M.g_idx</c>.</summary>
internal sealed class GroupedWeights
{
    private static readonly string[] Parts = [".qweight", ".qzeros", ".scales", ".g_idx"];

    private readonly ITensorSource _source;
    private readonly List<string> _problems, _remarks, _widened = [];
    private readonly bool _awq;
    private readonly int _bits, _groupSize, _zeroShift;

    public GroupedWeights(ITensorSource source, JsonElement quantization, bool awq, string configFile, List<string> problems, List<string> remarks)
    {
        (_source, _awq, _problems, _remarks) = (source, awq, problems, remarks);
        JsonConfig config = new(JsonObject.Create(quantization)!, configFile);
        _bits = config.Int32("bits", 4);
        _groupSize = config.Int32("group_size", 128);
        if (awq ? _bits != 4 : _bits is not (2 or 3 or 4 or 8))
            config.Report("bits", awq ? $"found {_bits}, AWQ has 4" : $"found {_bits}; 2, 3, 4 and 8 are read");
        if (_groupSize is not -1 and < 1)
            config.Report("group_size", $"found {_groupSize}, a positive number or -1 (whole rows) was expected");
        string version = config.Text("version", "gemm"), format = config.Text("checkpoint_format", "gptq");
        if (awq && !version.Equals("gemm", StringComparison.OrdinalIgnoreCase))
            config.Report("version", $"found \"{version}\", only \"gemm\" is read");
        if (awq && !config.Flag("zero_point", true))
            config.Report("zero_point", "found false; only weights with zero points are read");
        if (!awq && format is not ("gptq" or "gptq_v2"))
            config.Report("checkpoint_format", $"found \"{format}\"; gptq and gptq_v2 are read");
        // the first version stores one less than the zero point
        _zeroShift = !awq && format == "gptq" ? 1 : 0;
        problems.AddRange(config.Problems.Select(problem => $"{configFile}: quantization_config: {problem}"));
    }

    /// <summary>Every such weight.</summary>
    public List<PackedWeight> Find()
    {
        const string end = ".qweight";
        if (_problems.Count > 0)
            return [];
        List<PackedWeight> weights = [.. _source.Names.Where(name => name.EndsWith(end, StringComparison.Ordinal)).Select(name => Weight(name[..^end.Length])).OfType<PackedWeight>()];
        if (_widened.Count > 0)
            _remarks.Add(string.Create(CultureInfo.InvariantCulture, $"{_widened.Count} quantised weights are kept as f32, for their groups are not whole blocks of 32: {string.Join(", ", _widened.Take(3))}{(_widened.Count > 3 ? ", …" : "")}"));
        return weights;
    }

    private PackedWeight? Weight(string module)
    {
        StoredTensor codes = _source.Find(module + ".qweight")!;
        if (codes.Type != DType.I32 || codes.Shape.Count != 2 || codes.Shape.Any(size => size is < 1 or > 1 << 26))
        {
            _problems.Add($"tensor {codes.Name} is {codes.Type} {codes.ShapeText}, a matrix of I32 was expected");
            return null;
        }
        int before = _problems.Count;
        int perWord = 32 / 4;
        long inputs = _awq ? codes.Shape[0] : codes.Shape[0] * 32 / _bits, outputs = _awq ? codes.Shape[1] * perWord : codes.Shape[1];
        long group = _groupSize == -1 ? inputs : _groupSize, groups = (inputs + group - 1) / group;
        if (inputs > 1 << 26 || outputs > 1 << 26)
            _problems.Add($"tensor {codes.Name}: {codes.ShapeText} words are beyond what a weight can have");
        if (!_awq && codes.Shape[0] * 32 % _bits != 0)
            _problems.Add($"tensor {codes.Name}: {codes.Shape[0]} rows of words are no whole number of codes of {_bits} bits");
        // rows of zero points are whole words
        if (!_awq && outputs * _bits % 32 != 0)
            _problems.Add($"tensor {codes.Name}: {outputs} columns have zero points of {_bits} bits that fill no whole words of 32 bits");
        StoredTensor? zeros = Expect(module + ".qzeros", DType.I32, groups, _awq ? outputs / perWord : outputs * _bits / 32);
        StoredTensor? scales = Expect(module + ".scales", DType.F16, groups, outputs);
        StoredTensor? order = _awq ? null : _source.Find(module + ".g_idx");
        bool contiguous = true;
        if (order is not null && (order.Type != DType.I32 || order.Elements != inputs))
        {
            _problems.Add($"tensor {order.Name} holds {order.Elements} × {order.Type}, {inputs} × I32 were expected: the group of each column");
        }
        else if (order is not null)
        {
            ReadOnlySpan<int> of = MemoryMarshal.Cast<byte, int>(order.Bytes.Span);
            for (int i = 0; i < of.Length; i++)
            {
                contiguous &= of[i] == i / group;
                if (of[i] >= 0 && of[i] < groups)
                    continue;
                _problems.Add($"tensor {order.Name} names group {of[i]} for column {i}; there are {groups}");
                break;
            }
        }
        if (_problems.Count > before)
            return null;
        PackedIntegers layout = new() { Out = (int)outputs, In = (int)inputs, Bits = _bits, Group = (int)group, Awq = _awq, ZeroShift = _zeroShift };
        string name = module + ".weight";
        if (!contiguous)
            layout.Group = PackedIntegers.OrderByGroup(MemoryMarshal.Cast<byte, int>(order!.Bytes.Span), new int[inputs]);
        if (layout.Storage is null)
            _widened.Add(name);
        return new PackedWeight(name, [.. Parts.Select(end => module + end)], inputs * outputs, () =>
        {
            NativeBytes bytes = PackedWeights.Integers(layout, codes.Bytes, zeros!.Bytes, scales!.Bytes, contiguous ? null : order!.Bytes, out DType stored, out NativeBytes? columns);
            return new StoredTensor(name, stored, [outputs, inputs], bytes, columns);
        });
    }

    private StoredTensor? Expect(string name, DType type, long rows, long columns)
    {
        StoredTensor? tensor = _source.Find(name);
        if (tensor is null)
            _problems.Add($"tensor {name} {type} [{rows}, {columns}] is missing");
        else if (tensor.Type != type || !tensor.Shape.SequenceEqual([rows, columns]))
            _problems.Add($"tensor {name} is {tensor.Type} {tensor.ShapeText}, {type} [{rows}, {columns}] was expected");
        return tensor;
    }
}
