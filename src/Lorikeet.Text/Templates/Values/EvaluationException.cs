namespace Lorikeet.Text;

/// <summary>An error inside a rendering; it becomes a <see cref="TemplateException"/> once template and line are known.</summary>
internal sealed class EvaluationException(TemplateErrorKind kind, string message) : Exception(message)
{
    public TemplateErrorKind Kind { get; } = kind;

    public static EvaluationException Type(string message) => new(TemplateErrorKind.Type, message);

    public static EvaluationException Value(string message) => new(TemplateErrorKind.Value, message);

    public static EvaluationException Runtime(string message) => new(TemplateErrorKind.Runtime, message);

    public static EvaluationException Limit(string message) => new(TemplateErrorKind.Limit, message);
}
