namespace Lorikeet.Text;

/// <summary>The body of a built-in function, filter, test or method.</summary>
internal delegate object? NativeBody(NativeArguments arguments);

/// <summary>
/// A function written here. Its parameters are declared in a line: <c>"width fillchar?"</c>, where <c>?</c> marks what may be left out,
/// <c>*rest</c> and <c>**options</c> take what remains, and a final <c>/</c> forbids names.
/// </summary>
internal sealed class NativeFunction : ICallable
{
    private readonly string[] _parameters;
    private readonly int _required;
    private readonly bool _positionalOnly;
    private readonly string? _rest;
    private readonly string? _options;
    private readonly NativeBody _body;

    public NativeFunction(string name, string parameters, NativeBody body)
    {
        Name = name;
        _body = body;
        List<string> plain = [];
        foreach (string parameter in parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (parameter == "/")
                _positionalOnly = true;
            else if (parameter.StartsWith("**", StringComparison.Ordinal))
                _options = parameter[2..];
            else if (parameter[0] == '*')
                _rest = parameter[1..];
            else
                plain.Add(parameter.TrimEnd('?'));
            if (parameter[0] != '*' && parameter[0] != '/' && !parameter.EndsWith('?'))
                _required++;
        }
        _parameters = [.. plain];
    }

    public string Name { get; }

    /// <summary>True of <c>dict</c>, <c>range</c> and <c>namespace</c>, which are classes in Python.</summary>
    public bool IsType { get; init; }

    public object? Call(RenderState state, object?[] positional, NamedArgument[] named) => Call(state, null, positional, named);

    public object? Call(RenderState state, object? self, object?[] positional, NamedArgument[] named)
    {
        Charge(state, self, positional);
        object? result = Run(state, self, positional, named);
        if (result is string made)
            state.ChargeText(made.Length);
        return result;
    }

    public string ParameterName(int index) => _parameters[index];

    // Strings are paid for here, going in and coming out; walking over anything else is paid for where it happens.
    private static void Charge(RenderState state, object? self, object?[] positional)
    {
        state.Charge(PythonContainer.WeightOf(self as string));
        foreach (object? argument in positional)
        {
            if (argument is string text)
                state.ChargeText(text.Length);
        }
    }

    private object? Run(RenderState state, object? self, object?[] positional, NamedArgument[] named)
    {
        if (positional.Length == _parameters.Length && named.Length == 0 && _rest is null && _options is null)
            return _body(new NativeArguments(state, this, self, positional));
        return _body(new NativeArguments(state, this, self, Bind(positional, named)));
    }

    private object?[] Bind(object?[] positional, NamedArgument[] named)
    {
        object?[] values = new object?[_parameters.Length + (_rest is null ? 0 : 1) + (_options is null ? 0 : 1)];
        Array.Fill(values, Missing.Value);
        int given = Math.Min(positional.Length, _parameters.Length);
        Array.Copy(positional, values, given);
        if (_rest is not null)
            values[_parameters.Length] = positional[given..];
        else if (positional.Length > _parameters.Length)
            throw EvaluationException.Type($"{Name}() takes at most {Count(_parameters.Length)} ({positional.Length} given)");

        List<NamedArgument> options = [];
        foreach (NamedArgument argument in named)
        {
            int at = Array.IndexOf(_parameters, argument.Name);
            if (_positionalOnly)
                throw EvaluationException.Type($"{Name}() takes no keyword arguments");
            if (at < 0 && _options is null)
                throw EvaluationException.Type($"{Name}() got an unexpected keyword argument '{argument.Name}'");
            if (at >= 0 && !ReferenceEquals(values[at], Missing.Value))
                throw EvaluationException.Type($"{Name}() got multiple values for argument '{argument.Name}'");
            if (at >= 0)
                values[at] = argument.Value;
            else
                options.Add(argument);
        }
        if (_options is not null)
            values[^1] = options.ToArray();

        for (int i = 0; i < _required; i++)
        {
            if (ReferenceEquals(values[i], Missing.Value))
                throw EvaluationException.Type($"{Name}() missing required argument: '{_parameters[i]}'");
        }
        return values;
    }

    private static string Count(int count) => count == 1 ? "1 argument" : $"{count} arguments";
}
