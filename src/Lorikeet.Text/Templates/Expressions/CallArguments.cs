namespace Lorikeet.Text;

/// <summary>The arguments that a call, filter or test is written with.</summary>
internal sealed class CallArguments(Expression[] positional, (string Name, Expression Value)[] named, Expression? rest, Expression? options)
{
    public static readonly CallArguments None = new([], [], null, null);

    public bool IsEmpty => positional.Length == 0 && named.Length == 0 && rest is null && options is null;

    /// <summary>Every expression among them.</summary>
    public Expression?[] Expressions => [.. positional, .. named.Select(n => n.Value), rest, options];

    /// <summary>The values given by position, after <paramref name="first"/> unless that is <see cref="Missing"/>.</summary>
    public object?[] Positional(RenderState state, object? first)
    {
        int lead = ReferenceEquals(first, Missing.Value) ? 0 : 1;
        if (lead + positional.Length == 0 && rest is null)
            return [];
        object?[] values = new object?[lead + positional.Length];
        if (lead == 1)
            values[0] = first;
        for (int i = 0; i < positional.Length; i++)
            values[lead + i] = positional[i].Evaluate(state);
        return rest is null ? values : [.. values, .. Iteration.ToArray(state, rest.Evaluate(state))];
    }

    /// <summary>The values given by name.</summary>
    public NamedArgument[] Named(RenderState state)
    {
        if (named.Length == 0 && options is null)
            return [];
        List<NamedArgument> values = new(named.Length);
        foreach ((string name, Expression value) in named)
            values.Add(new NamedArgument(name, value.Evaluate(state)));
        if (options is not null)
        {
            object? mapping = options.Evaluate(state);
            PythonDict dict = mapping as PythonDict
                ?? throw EvaluationException.Type($"argument after ** must be a mapping, not {PythonTypes.NameOf(mapping)}");
            state.Charge(dict.Count);
            for (int i = 0; i < dict.Count; i++)
            {
                if (!PythonText.IsText(dict.Keys[i], out string name))
                    throw EvaluationException.Type("keywords must be strings");
                if (Array.Exists(named, n => n.Name == name))
                    throw EvaluationException.Type($"got multiple values for keyword argument '{name}'");
                values.Add(new NamedArgument(name, dict.Values[i]));
            }
        }
        return [.. values];
    }
}
