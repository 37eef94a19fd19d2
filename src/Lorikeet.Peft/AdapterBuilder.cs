using System.Globalization;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>
/// What a method builds with: the model, the configuration, and parameters that are either read from a file or freshly initialised — the same
/// code makes both. Every problem is collected.
/// </summary>
public sealed class AdapterBuilder : IDisposable
{
    private readonly ITensorSource? _file;
    private readonly Dictionary<string, string> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<string> _problems = [];
    private readonly Tape _random;

    internal AdapterBuilder(Model model, JsonConfig config, string name, ITensorSource? file, int seed)
    {
        Model = model;
        Config = config;
        Name = name;
        _file = file;
        _random = new Tape { Seed = (ulong)seed };
        foreach (string key in file?.Names ?? [])
            _keys.TryAdd(Normalised(key), key);
    }

    /// <summary>The base model.</summary>
    public Model Model { get; }

    /// <summary>The configuration, defaults filled in.</summary>
    public JsonConfig Config { get; }

    /// <summary>The file that the configuration was read from, where it is one: it may hold more than the method's options.</summary>
    internal JsonConfig? Stored { get; init; }

    /// <summary>The adapter's name.</summary>
    public string Name { get; }

    /// <summary>True where parameters come from a file; false where they are initialised.</summary>
    public bool Loading => _file is not null;

    /// <summary>Parts made so far.</summary>
    public List<AdapterPart> Parts { get; } = [];

    /// <summary>Parameters made so far.</summary>
    public List<Parameter> Parameters { get; } = [];

    /// <summary>Tensors of the base that the adapter's file holds too.</summary>
    public List<(string Key, Parameter Value)> AlsoSaved { get; } = [];

    /// <summary>What somebody should know though it is no error.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Notes a problem.</summary>
    public void Problem(string text) => _problems.Add(text);

    /// <summary>True once a problem was noted.</summary>
    public bool Broken => _problems.Count > 0 || Refused;

    /// <summary>True once an option was refused: what is built from it would be something else. Tensors that do not fit are no reason to look at no others.</summary>
    public bool Refused => Config.Problems.Count > 0;

    /// <summary>True for the table of embeddings and the head of a model whose head reads that table.</summary>
    public bool IsTied(Module module) =>
        Model.OutputEmbedding is { } head && head.Weight == Model.InputEmbedding.Weight && (module == head || module == Model.InputEmbedding);

    /// <summary>True where the file holds this key.</summary>
    public bool Has(string key) => _keys.ContainsKey(key);

    /// <summary>A parameter of the adapter: read from the file under <paramref name="key"/>, or of zeros that <paramref name="initialise"/> fills.</summary>
    public Parameter Parameter(string key, Shape shape, Action<Tensor, Tape>? initialise = null)
    {
        Tensor value = _file is null ? Tensor.Create(shape) : Read(key, shape);
        if (_file is null)
            initialise?.Invoke(value, _random);
        Parameter parameter = new(key, value);
        Parameters.Add(parameter);
        return parameter;
    }

    /// <summary>A tensor of the file, widened to f32; an empty one and a problem where it is missing or does not fit.</summary>
    public Tensor Read(string key, Shape shape)
    {
        if (!_keys.TryGetValue(key, out string? stored))
        {
            Problem($"tensor {key} {shape} is missing");
            return Missing();
        }
        _used.Add(stored);
        StoredTensor tensor = _file!.Find(stored)!;
        if (!tensor.Shape.SequenceEqual(shape.ToArray()))
        {
            Problem($"tensor {key} is {tensor.ShapeText}, {shape} was expected for this model and configuration");
            return Missing();
        }
        if (tensor.Type is not (DType.F32 or DType.F16 or DType.BF16 or DType.F64))
        {
            Problem($"tensor {key} holds {tensor.Type}; an adapter holds F32, F16, BF16 or F64");
            return Missing();
        }
        Tensor value = Tensor.FromBytes(tensor.Bytes, tensor.Type, shape).ToF32();
        if (value.FirstNonFinite() is >= 0 and long at)
            Problem(string.Create(CultureInfo.InvariantCulture, $"tensor {key} holds {value.Values[(int)at]} at element {at}: the adapter is damaged, or its training diverged"));
        return value;
    }

    /// <summary>Refuses options that would change the result and are not implemented.</summary>
    public void Refuse(string field, bool used, string why)
    {
        if (used)
            Problem($"{Config.Description}: {field}: {why}");
    }

    /// <summary>Makes the adapter, or reports every problem.</summary>
    internal Adapter Finish(PeftMethod method)
    {
        // a method that refused its options has asked for none of the tensors: that says nothing about them
        foreach (string key in _file?.Names ?? [])
        {
            if (!Refused && !_used.Contains(key))
                Problem($"tensor {key} matches nothing in the model: the adapter was made for another model or other options");
        }
        List<string> all = [.. Config.PlacedProblems, .. _problems];
        if (all.Count > 0)
            throw _file is not null ? new InputException($"{_file.Description}: the adapter does not fit this model and was not attached", all)
                : all.Count == 1 ? new InputException(all[0]) : new InputException($"{Config.Description}: the adapter cannot be made", all);
        if (Parts.Count == 0)
            throw new InputException($"{Config.Description}: the targets match no module of the model, so the adapter would do nothing");
        return new Adapter(Model, method, Config, Name, Parts, Parameters, AlsoSaved, Notes) { Stored = Stored };
    }

    /// <inheritdoc/>
    public void Dispose() => _random.Dispose();

    // no memory is spent on a tensor that will only be reported: its size may be whatever somebody wrote into a configuration
    private static Tensor Missing() => Tensor.Create(new Shape(0));

    // files of other programs carry the adapter's name, or leave the prefix away
    private string Normalised(string key)
    {
        string[] parts = key.Split('.');
        if (parts.Length > 2 && parts[^2] == Name && parts[^1] is "weight" or "bias")
            key = string.Join('.', [.. parts[..^2], parts[^1]]);
        else if (parts.Length > 1 && parts[^1] == Name)
            key = string.Join('.', parts[..^1]);
        return key;
    }
}
