namespace Lorikeet.Text;

/// <summary><c>key, value</c></summary>
internal sealed class TupleTarget(AssignmentTarget[] items) : AssignmentTarget
{
    public AssignmentTarget[] Items => items;

    public override void Check(RenderState state)
    {
        foreach (AssignmentTarget item in items)
            item.Check(state);
    }

    public override void Assign(RenderState state, object? value)
    {
        object?[] values = value is PythonTuple tuple && tuple.Count == items.Length ? tuple.Items : Iteration.Unpack(state, value, items.Length);
        for (int i = 0; i < items.Length; i++)
            items[i].Assign(state, values[i]);
    }

    public override void Collect(Scope scope, bool asParameter)
    {
        foreach (AssignmentTarget item in items)
            item.Collect(scope, asParameter);
    }

    public override void Bind(Binder binder)
    {
        foreach (AssignmentTarget item in items)
            item.Bind(binder);
    }

    public override AssignmentTarget Copy() => new TupleTarget([.. items.Select(item => item.Copy())]);
}
