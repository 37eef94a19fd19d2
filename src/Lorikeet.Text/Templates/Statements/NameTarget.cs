namespace Lorikeet.Text;

/// <summary>A variable that is set.</summary>
internal sealed class NameTarget(string name) : AssignmentTarget
{
    private int _slot;

    public string Name => name;

    public override void Assign(RenderState state, object? value) => state.Frame.Slots[_slot] = value;

    public override void Collect(Scope scope, bool asParameter)
    {
        if (asParameter)
            scope.Declare(name);
        else
            scope.Store(name);
    }

    public override void Bind(Binder binder) => _slot = binder.Scope.Find(name)!.Index;

    public override AssignmentTarget Copy() => new NameTarget(name);
}
