namespace Lorikeet.Text;

/// <summary>An expression of a template, ready to be evaluated any number of times and by any number of threads.</summary>
internal abstract class Expression
{
    private readonly Expression[] _children;

    protected Expression(int line, params ReadOnlySpan<Expression?> children)
    {
        Line = line;
        List<Expression> present = new(children.Length);
        foreach (Expression? child in children)
        {
            if (child is null)
                continue;
            present.Add(child);
            Height = Math.Max(Height, child.Height + 1);
        }
        _children = [.. present];
    }

    public int Line { get; }

    /// <summary>How many expressions nest inside this one; the parser refuses heights that could exhaust the stack.</summary>
    public int Height { get; }

    public abstract object? Evaluate(RenderState state);

    /// <summary>Writes the value.</summary>
    public virtual void Print(RenderState state) => state.Print(Evaluate(state));

    /// <summary>Tells a scope which names this expression reads.</summary>
    public virtual void Collect(Scope scope)
    {
        foreach (Expression child in _children)
            child.Collect(scope);
    }

    /// <summary>Finds the variables, filters and tests that this expression names.</summary>
    public virtual void Bind(Binder binder)
    {
        foreach (Expression child in _children)
            child.Bind(binder);
    }
}
