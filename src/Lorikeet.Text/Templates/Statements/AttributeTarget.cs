namespace Lorikeet.Text;

/// <summary><c>ns.attribute</c>, where <c>ns</c> must be a namespace.</summary>
internal sealed class AttributeTarget(NameExpression owner, string attribute) : AssignmentTarget
{
    public override void Check(RenderState state) => Owner(state);

    public override void Assign(RenderState state, object? value) => Owner(state).Set(attribute, value);

    public override void Collect(Scope scope, bool asParameter) => owner.Collect(scope);

    public override void Bind(Binder binder) => owner.Bind(binder);

    public override AssignmentTarget Copy() => new AttributeTarget(new NameExpression(owner.Line, owner.Name), attribute);

    private TemplateNamespace Owner(RenderState state) => owner.Evaluate(state) as TemplateNamespace
        ?? throw EvaluationException.Runtime("cannot assign attribute on non-namespace object");
}
