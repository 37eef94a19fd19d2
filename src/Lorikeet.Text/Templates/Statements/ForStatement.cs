namespace Lorikeet.Text;

/// <summary><c>{% for item in items if condition recursive %} … {% else %} … {% endfor %}</c></summary>
internal sealed class ForStatement(
    int line, AssignmentTarget target, Expression items, Expression? condition, bool recursive, bool usesLoop, Statement[] body, Statement[] otherwise)
    : Statement(line)
{
    private readonly AssignmentTarget _tested = target.Copy();
    private FunctionLayout _function = null!;
    private ScopeEntry _bodyEntry = null!;
    private ScopeEntry? _testEntry;
    private ScopeEntry? _elseEntry;
    private int _loopSlot = -1;

    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        object? iterable = items.Evaluate(state);
        state.Line = Line;
        if (!recursive)
            return RunLoop(state, iterable, 0, null);
        state.Print(Recurse(state, state.Frame, iterable, 0));
        return Flow.Next;
    }

    public override void Collect(Scope scope) => items.Collect(scope);

    public override void Bind(Binder binder)
    {
        items.Bind(binder);
        Scope outer = binder.Scope;
        _function = recursive ? new FunctionLayout(outer.Function.Depth + 1) : outer.Function;

        Scope inner = new(outer, _function);
        if (usesLoop)
            inner.Declare("loop");
        target.Collect(inner, asParameter: true);
        Collect(body, inner);
        _bodyEntry = inner.Seal();
        if (usesLoop)
            _loopSlot = inner.Find("loop")!.Index;
        binder.Within(inner, () =>
        {
            target.Bind(binder);
            Bind(body, binder);
        });

        if (condition is not null)
        {
            Scope test = new(outer, _function);
            _tested.Collect(test, asParameter: true);
            condition.Collect(test);
            _testEntry = test.Seal();
            binder.Within(test, () =>
            {
                _tested.Bind(binder);
                condition.Bind(binder);
            });
        }
        if (otherwise.Length > 0)
        {
            Scope empty = new(outer, _function);
            Collect(otherwise, empty);
            _elseEntry = empty.Seal();
            binder.Within(empty, () => Bind(otherwise, binder));
        }
    }

    private Flow RunLoop(RenderState state, object? iterable, int depth, Func<object?, int, object?>? recurse)
    {
        RenderState.EnsureStack();
        ItemCursor cursor = new(state, iterable);
        if (condition is not null)
            cursor = new ItemCursor(state, Filtered(state, cursor, state.Frame));
        LoopContext? loop = usesLoop ? new LoopContext(cursor, depth, recurse) : null;
        while (cursor.MoveNext())
        {
            state.Charge(1);
            _bodyEntry.Enter(state);
            if (loop is not null)
                state.Frame.Slots[_loopSlot] = loop;
            target.Assign(state, cursor.Current);
            if (Run(body, state) == Flow.Break)
                return Flow.Next;
        }
        if (cursor.Index >= 0 || _elseEntry is null)
            return Flow.Next;
        _elseEntry.Enter(state);
        return Run(otherwise, state);
    }

    // Runs only as far as the loop has got, as the condition may depend on what the body does.
    private IEnumerator<object?> Filtered(RenderState state, ItemCursor source, Frame frame)
    {
        while (source.MoveNext())
        {
            state.Charge(1);
            Frame running = state.Frame;
            state.Frame = frame;
            _testEntry!.Enter(state);
            _tested.Assign(state, source.Current);
            bool wanted = PythonText.IsTrue(condition!.Evaluate(state));
            state.Frame = running;
            if (wanted)
                yield return source.Current;
        }
    }

    private string Recurse(RenderState state, Frame closure, object? iterable, int depth)
    {
        state.EnterCall();
        Frame callerFrame = state.Frame;
        int callerLine = state.Line;
        state.Frame = new Frame(_function.SlotCount, closure);
        OutputBuffer outer = state.BeginCapture();
        RunLoop(state, iterable, depth, (inner, level) => Recurse(state, closure, inner, level));
        string text = state.EndCapture(outer);
        state.Frame = callerFrame;
        state.Line = callerLine;
        state.LeaveCall();
        return text;
    }
}
