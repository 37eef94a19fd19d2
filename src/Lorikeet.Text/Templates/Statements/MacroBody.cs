namespace Lorikeet.Text;

/// <summary>The parameters and statements of a macro or of a call block.</summary>
internal sealed class MacroBody(string name, (string Name, Expression? Default)[] parameters, bool takesCaller, bool takesOptions, bool takesRest, Statement[] body)
{
    private readonly Undefined[] _notGiven = [.. parameters.Select(p => Undefined.Because($"parameter {PythonText.Repr(p.Name)} was not provided"))];
    private int[] _slots = [];
    private int _callerSlot;
    private int _optionsSlot;
    private int _restSlot;
    private ScopeEntry _entry = null!;

    public string Name => name;

    public string[] ParameterNames => [.. parameters.Select(p => p.Name)];

    public int ParameterCount => parameters.Length;

    public bool TakesCaller => takesCaller;

    public bool TakesOptions => takesOptions;

    public bool TakesRest => takesRest;

    public FunctionLayout Function { get; private set; } = null!;

    private bool HasCallerParameter => Array.Exists(parameters, p => p.Name == "caller");

    public void Bind(Binder binder)
    {
        Function = new FunctionLayout(binder.Scope.Function.Depth + 1);
        Scope inner = new(binder.Scope, Function);
        foreach ((string parameter, _) in parameters)
            inner.Declare(parameter);
        foreach ((_, Expression? fallback) in parameters)
            fallback?.Collect(inner);
        Statement.Collect(body, inner);
        if (takesCaller && !HasCallerParameter)
            inner.Declare("caller");
        if (takesOptions)
            inner.Declare("kwargs");
        if (takesRest)
            inner.Declare("varargs");
        _entry = inner.Seal();
        _slots = [.. parameters.Select(p => inner.Find(p.Name)!.Index)];
        _callerSlot = takesCaller ? inner.Find("caller")!.Index : 0;
        _optionsSlot = takesOptions ? inner.Find("kwargs")!.Index : 0;
        _restSlot = takesRest ? inner.Find("varargs")!.Index : 0;
        binder.Within(inner, () =>
        {
            foreach ((_, Expression? fallback) in parameters)
                fallback?.Bind(binder);
            Statement.Bind(body, binder);
        });
    }

    /// <summary>Puts the arguments into the variables of a new frame.</summary>
    public void Bind(Frame frame, object?[] positional, NamedArgument[] named)
    {
        int used = 0;
        for (int i = 0; i < _slots.Length; i++)
        {
            object? value = Missing.Value;
            if (i < positional.Length)
            {
                value = positional[i];
            }
            else if (Take(named, parameters[i].Name, out object? given))
            {
                value = given;
                used++;
            }
            frame.Slots[_slots[i]] = value;
        }
        if (takesCaller && !HasCallerParameter)
        {
            bool found = Take(named, "caller", out object? caller);
            used += found ? 1 : 0;
            frame.Slots[_callerSlot] = found && caller is not null ? caller : Undefined.Because("No caller defined");
        }
        if (takesOptions)
            frame.Slots[_optionsSlot] = Rest(named, positional.Length);
        else if (used < named.Length)
            throw Unexpected(named, positional.Length);
        if (takesRest)
            frame.Slots[_restSlot] = new PythonTuple(positional.Length > _slots.Length ? positional[_slots.Length..] : []);
        else if (positional.Length > _slots.Length)
            throw EvaluationException.Type($"macro {PythonText.Repr(name)} takes not more than {_slots.Length} argument(s)");
    }

    public void Run(RenderState state)
    {
        _entry.Enter(state);
        object?[] slots = state.Frame.Slots;
        for (int i = 0; i < _slots.Length; i++)
        {
            if (ReferenceEquals(slots[_slots[i]], Missing.Value))
                slots[_slots[i]] = parameters[i].Default is { } fallback ? fallback.Evaluate(state) : _notGiven[i];
        }
        Statement.Run(body, state);
    }

    private static bool Take(NamedArgument[] named, string name, out object? value)
    {
        foreach (NamedArgument argument in named)
        {
            if (argument.Name == name)
            {
                value = argument.Value;
                return true;
            }
        }
        value = null;
        return false;
    }

    // Named arguments that no parameter took: those of unknown name, and those whose parameter has its value by position.
    private IEnumerable<NamedArgument> Unused(NamedArgument[] named, int positional) => named.Where(argument =>
    {
        int at = Array.FindIndex(parameters, p => p.Name == argument.Name);
        return at < 0 ? !(takesCaller && argument.Name == "caller") : at < positional;
    });

    private PythonDict Rest(NamedArgument[] named, int positional)
    {
        PythonDictBuilder rest = new();
        foreach (NamedArgument argument in Unused(named, positional))
            rest.Set(argument.Name, argument.Value);
        return rest.Build();
    }

    private EvaluationException Unexpected(NamedArgument[] named, int positional)
    {
        string first = Unused(named, positional).First().Name;
        return EvaluationException.Type(first == "caller"
            ? $"macro {PythonText.Repr(name)} was invoked with two values for the special caller argument. This is most likely a bug."
            : $"macro {PythonText.Repr(name)} takes no keyword argument {PythonText.Repr(first)}");
    }
}
