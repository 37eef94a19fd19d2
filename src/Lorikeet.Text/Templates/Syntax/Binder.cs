namespace Lorikeet.Text;

/// <summary>The second look at a parsed template: every name finds its variable, every filter and test its function.</summary>
internal sealed class Binder(Scope scope, string templateName)
{
    public Scope Scope { get; private set; } = scope;

    /// <summary>True inside a condition, where an unknown filter is an error only if it is reached.</summary>
    public bool Conditional { get; private set; }

    /// <summary>Binds what lies in an inner scope, where conditions outside do not count.</summary>
    public void Within(Scope scope, Action bind)
    {
        (Scope outer, bool conditional) = (Scope, Conditional);
        (Scope, Conditional) = (scope, false);
        bind();
        (Scope, Conditional) = (outer, conditional);
    }

    public void WithinCondition(Action bind)
    {
        bool conditional = Conditional;
        Conditional = true;
        bind();
        Conditional = conditional;
    }

    public TemplateException Error(string reason, int line) => new(TemplateErrorKind.Syntax, reason, templateName, line);
}
