namespace Lorikeet.Text;

/// <summary><c>{% macro name(parameters) %} … {% endmacro %}</c></summary>
internal sealed class MacroStatement(int line, MacroBody body) : Statement(line)
{
    private int _slot;

    public override Flow Execute(RenderState state)
    {
        state.Frame.Slots[_slot] = new Macro(body, state.Frame);
        return Flow.Next;
    }

    public override void Collect(Scope scope) => scope.Store(body.Name);

    public override void Bind(Binder binder)
    {
        _slot = binder.Scope.Find(body.Name)!.Index;
        body.Bind(binder);
    }
}
