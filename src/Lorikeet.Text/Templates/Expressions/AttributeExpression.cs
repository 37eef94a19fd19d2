namespace Lorikeet.Text;

/// <summary><c>value.name</c></summary>
internal sealed class AttributeExpression(int line, Expression target, string name) : Expression(line, target)
{
    // A dict's methods come before its items, so most names can go straight to the items.
    private readonly bool _mayBeDictMethod = DictMethods.All.ContainsKey(name) || DictMethods.Refused.Contains(name) || name.StartsWith('_');
    private readonly bool _isStringMethod = StringMethods.All.ContainsKey(name);

    public override object? Evaluate(RenderState state) => Read(state, target.Evaluate(state));

    /// <summary>Evaluates the object and finds its method of this name, if it is a built-in one; else gives the attribute itself.</summary>
    public NativeFunction? Method(RenderState state, out object? owner)
    {
        owner = target.Evaluate(state);
        bool possible = owner switch
        {
            PythonDict => _mayBeDictMethod,
            string => _isStringMethod,
            _ => true,
        };
        if (possible && Access.Method(owner, name) is { } method)
            return method;
        owner = Read(state, owner);
        return null;
    }

    private object? Read(RenderState state, object? owner)
    {
        if (owner is PythonDict dict && !_mayBeDictMethod && dict.TryGet(name, out object? value))
            return value;
        state.Line = Line;
        return Access.Attribute(owner, name);
    }
}
