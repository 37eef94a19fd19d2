using System.Globalization;

namespace Lorikeet.Text;

/// <summary>A chat template that cannot be read, or a conversation that it cannot render.</summary>
public sealed class TemplateException : FormatException
{
    /// <summary>Creates the error; <paramref name="line"/> 0 means that no line is to blame.</summary>
    public TemplateException(TemplateErrorKind kind, string reason, string templateName, int line)
        : base(Describe(kind, reason, templateName, line))
    {
        Kind = kind;
        Reason = reason;
        TemplateName = templateName;
        Line = line;
    }

    /// <summary>The family of the error.</summary>
    public TemplateErrorKind Kind { get; }

    /// <summary>The bare reason, in the words of Jinja and Python; for <see cref="TemplateErrorKind.Raised"/> the template's own message.</summary>
    public string Reason { get; }

    /// <summary>The name that the template was parsed under.</summary>
    public string TemplateName { get; }

    /// <summary>The line of the template, from 1; 0 where no line is to blame.</summary>
    public int Line { get; }

    private static string Describe(TemplateErrorKind kind, string reason, string name, int line)
    {
        string place = line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{name}, line {line}") : name;
        return kind == TemplateErrorKind.Raised
            ? $"{place}: the template refuses this conversation: {reason}"
            : $"{place}: {reason}";
    }
}
