namespace Lorikeet.Text;

/// <summary><c>{% generation %} … {% endgeneration %}</c>: marks what the model wrote, so that training can learn from that alone.</summary>
internal sealed class GenerationStatement(int line, Statement[] body) : Statement(line)
{
    private FunctionLayout _function = null!;
    private ScopeEntry _entry = null!;

    public override Flow Execute(RenderState state)
    {
        int start = state.Output.Text.Length;
        Frame outer = state.Frame;
        state.Frame = new Frame(_function.SlotCount, outer);
        _entry.Enter(state);
        Run(body, state);
        state.Frame = outer;
        state.Output.Spans.Add((start, state.Output.Text.Length));
        return Flow.Next;
    }

    public override void Collect(Scope scope) { }

    public override void Bind(Binder binder)
    {
        _function = new FunctionLayout(binder.Scope.Function.Depth + 1);
        Scope inner = new(binder.Scope, _function);
        Collect(body, inner);
        _entry = inner.Seal();
        binder.Within(inner, () => Bind(body, binder));
    }
}
