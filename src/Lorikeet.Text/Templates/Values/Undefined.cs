namespace Lorikeet.Text;

/// <summary>
/// A variable, item or attribute that does not exist. It prints as nothing, is false and iterates as empty; anything else asked of it fails.
/// </summary>
internal sealed class Undefined
{
    private readonly string? _hint;
    private readonly object? _owner = Missing.Value;
    private readonly object? _name;

    private Undefined(string? hint, object? owner, object? name, TemplateErrorKind kind)
    {
        _hint = hint;
        _owner = owner;
        _name = name;
        Kind = kind;
    }

    public TemplateErrorKind Kind { get; }

    public static Undefined Variable(string name) => new(null, Missing.Value, name, TemplateErrorKind.Undefined);

    public static Undefined Member(object? owner, object? name) => new(null, owner, name, TemplateErrorKind.Undefined);

    public static Undefined Because(string hint) => new(hint, Missing.Value, null, TemplateErrorKind.Undefined);

    /// <summary>An attribute that exists but that the sandbox does not hand out.</summary>
    public static Undefined Unsafe(object? owner, string name) => new(
        $"access to attribute '{name}' of '{PythonTypes.NameOf(owner)}' object is unsafe.", owner, name, TemplateErrorKind.Security);

    public EvaluationException Error() => new(Kind, Describe());

    private string Describe()
    {
        if (_hint is not null)
            return _hint;
        if (ReferenceEquals(_owner, Missing.Value))
            return $"{PythonText.Repr(_name)} is undefined";
        string owner = PythonTypes.Describe(_owner);
        return _name is string name
            ? $"{PythonText.Repr(owner)} has no attribute {PythonText.Repr(name)}"
            : $"{owner} has no element {PythonText.Repr(_name)}";
    }
}
