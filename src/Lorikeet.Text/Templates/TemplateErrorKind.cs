namespace Lorikeet.Text;

/// <summary>What went wrong with a chat template, in the families of Jinja's and Python's own exceptions.</summary>
public enum TemplateErrorKind
{
    /// <summary>The source is no template (TemplateSyntaxError, TemplateAssertionError).</summary>
    Syntax,

    /// <summary>Something was asked of a value that does not exist (UndefinedError).</summary>
    Undefined,

    /// <summary>An operation was given a value of the wrong kind (TypeError).</summary>
    Type,

    /// <summary>A value of the right kind cannot be used (ValueError, ZeroDivisionError, OverflowError, KeyError, IndexError).</summary>
    Value,

    /// <summary>The sandbox refused (SecurityError).</summary>
    Security,

    /// <summary>Any other failure of the template itself (TemplateRuntimeError).</summary>
    Runtime,

    /// <summary>The template called <c>raise_exception</c>; <see cref="TemplateException.Reason"/> is its own message.</summary>
    Raised,

    /// <summary>The template ran past one of its <see cref="TemplateLimits"/>.</summary>
    Limit,

    /// <summary>The request cannot be rendered, whatever the template says.</summary>
    Request,
}
