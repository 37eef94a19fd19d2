namespace Lorikeet.Text;

/// <summary>A macro, or the body of a call block, together with the variables around the place where it was written.</summary>
internal sealed class Macro(MacroBody body, Frame closure) : ICallable
{
    public string Name => body.Name;

    public object? Call(RenderState state, object?[] positional, NamedArgument[] named)
    {
        state.EnterCall();
        state.Charge((long)named.Length * body.ParameterCount);
        Frame callerFrame = state.Frame;
        int line = state.Line;
        Frame frame = new(body.Function.SlotCount, closure);
        body.Bind(frame, positional, named);
        state.Frame = frame;
        OutputBuffer outer = state.BeginCapture();
        body.Run(state);
        string text = state.EndCapture(outer);
        state.Frame = callerFrame;
        state.Line = line;
        state.LeaveCall();
        return text;
    }

    public bool TryAttribute(string name, out object? value)
    {
        value = name switch
        {
            "name" => body.Name,
            "arguments" => new PythonTuple([.. body.ParameterNames]),
            "catch_kwargs" => Boxed.Bool(body.TakesOptions),
            "catch_varargs" => Boxed.Bool(body.TakesRest),
            "caller" => Boxed.Bool(body.TakesCaller),
            _ => Missing.Value,
        };
        return !ReferenceEquals(value, Missing.Value);
    }
}
