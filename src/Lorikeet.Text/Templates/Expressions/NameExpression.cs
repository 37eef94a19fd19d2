namespace Lorikeet.Text;

/// <summary>A variable.</summary>
internal sealed class NameExpression(int line, string name) : Expression(line)
{
    private readonly Undefined _undefined = Undefined.Variable(name);
    private Variable _variable = null!;
    private int _depth;

    public string Name => name;

    public override object? Evaluate(RenderState state)
    {
        object? value = _variable.Function is null ? state.Globals[_variable.Index]
            : _depth == 0 ? state.Frame.Slots[_variable.Index]
            : ScopeEntry.Read(state, _variable, _depth);
        return ReferenceEquals(value, Missing.Value) ? _undefined : value;
    }

    public override void Collect(Scope scope) => scope.Load(name);

    public override void Bind(Binder binder)
    {
        Scope scope = binder.Scope;
        _variable = scope.Find(name) ?? new Variable(null, scope.Global(name));
        _depth = _variable.Function is null ? 0 : scope.Function.Depth - _variable.Function.Depth;
    }
}
