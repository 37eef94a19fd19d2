namespace Lorikeet.Text;

/// <summary>The left side of <c>set</c>, or the variables of a <c>for</c>.</summary>
internal abstract class AssignmentTarget
{
    /// <summary>Refuses before the value is evaluated: only attributes of a namespace can be set.</summary>
    public virtual void Check(RenderState state) { }

    public abstract void Assign(RenderState state, object? value);

    public abstract void Collect(Scope scope, bool asParameter);

    public abstract void Bind(Binder binder);

    /// <summary>The same target, to be bound in another scope.</summary>
    public abstract AssignmentTarget Copy();
}
