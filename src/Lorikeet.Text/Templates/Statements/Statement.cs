namespace Lorikeet.Text;

/// <summary>A statement of a template, ready to run any number of times and by any number of threads.</summary>
internal abstract class Statement(int line)
{
    public int Line { get; } = line;

    public abstract Flow Execute(RenderState state);

    /// <summary>Tells the scope it stands in which names it reads and sets there.</summary>
    public abstract void Collect(Scope scope);

    /// <summary>Finds variables, filters and tests, its inner scopes included.</summary>
    public abstract void Bind(Binder binder);

    public static Flow Run(Statement[] body, RenderState state)
    {
        foreach (Statement statement in body)
        {
            state.Charge(1);
            Flow flow = statement.Execute(state);
            if (flow != Flow.Next)
                return flow;
        }
        return Flow.Next;
    }

    public static void Collect(Statement[] body, Scope scope)
    {
        foreach (Statement statement in body)
            statement.Collect(scope);
    }

    public static void Bind(Statement[] body, Binder binder)
    {
        foreach (Statement statement in body)
            statement.Bind(binder);
    }
}
