using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>
/// What a model under construction gathers: its modules and parameters in order, and every problem with its weights, so that all are
/// reported at once.
/// </summary>
public sealed class ModelContext
{
    private readonly List<string> _problems = [];
    private readonly Dictionary<string, Parameter> _parameters = [];
    private readonly List<Parameter> _order = [];
    private readonly List<Module> _modules = [];

    /// <summary>A model to be filled from a source.</summary>
    public ModelContext(ITensorSource source) => Source = source;

    /// <summary>Where weights come from.</summary>
    public ITensorSource Source { get; }

    /// <summary>Modules in the order of their construction.</summary>
    public IReadOnlyList<Module> Modules => _modules;

    /// <summary>Parameters in the order of their use; a tied one stands once.</summary>
    public IReadOnlyList<Parameter> Parameters => _order;

    /// <summary>Names of the source that no module asked for.</summary>
    public IEnumerable<string> Unused => Source.Names.Where(name => !_parameters.ContainsKey(name));

    /// <summary>Reports every problem met so far.</summary>
    /// <exception cref="InputException">There were some.</exception>
    public void ThrowIfBroken()
    {
        if (_problems.Count > 0)
            throw new InputException($"{Source.Description}: the weights do not fit the configuration", _problems);
    }

    internal void Register(Module module) => _modules.Add(module);

    internal Parameter Parameter(string name, Shape shape, bool keepStorage)
    {
        if (_parameters.TryGetValue(name, out Parameter? known))
        {
            // one that is missing has been reported
            if (known.Value.Shape != shape && known.Value.Rows > 0)
                _problems.Add($"tensor {name} serves twice, as {known.Value.Shape} and as {shape}");
            return known;
        }
        Parameter parameter = new(name, Load(name, shape, keepStorage)) { StoredType = Source.Find(name)?.Type ?? DType.F32 };
        _parameters.Add(name, parameter);
        _order.Add(parameter);
        return parameter;
    }

    private Tensor Load(string name, Shape shape, bool keepStorage)
    {
        StoredTensor? stored = Source.Find(name);
        if (stored is null)
        {
            _problems.Add($"tensor {name} {shape} is missing");
            return Missing(shape);
        }
        if (!stored.Shape.SequenceEqual(shape.ToArray()))
        {
            _problems.Add($"tensor {name} is {stored.ShapeText}, the configuration asks for {shape}");
            return Missing(shape);
        }
        if (stored.Type is not (DType.F32 or DType.F16 or DType.BF16 or DType.F64 or DType.F8E4M3 or DType.F8E5M2) && !stored.Type.IsBlocked())
        {
            _problems.Add($"tensor {name} holds {stored.Type}: a weight must hold floating-point numbers or a known block format");
            return Missing(shape);
        }
        Tensor tensor = Tensor.FromStored(stored, shape);
        return keepStorage && (stored.Type is DType.F32 or DType.F16 or DType.BF16 || stored.Type.IsBlocked()) ? tensor : tensor.ToF32();
    }

    // no memory is spent on a tensor that will only be reported
    private static Tensor Missing(Shape shape) => Tensor.FromBytes(new NativeBuffer(0).Bytes, DType.F32, new Shape(0, shape.Columns));
}
