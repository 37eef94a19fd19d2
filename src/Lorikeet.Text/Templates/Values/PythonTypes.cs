using System.Numerics;

namespace Lorikeet.Text;

/// <summary>Names of types as Python writes them in messages.</summary>
internal static class PythonTypes
{
    public static string NameOf(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        Markup => "Markup",
        PythonList => "list",
        PythonTuple { Fields: not null } => "_GroupTuple",
        PythonTuple => "tuple",
        PythonDict => "dict",
        PythonDictView view => "dict_" + view.Kind,
        PythonRange => "range",
        PythonGenerator generator => generator.TypeName,
        Undefined => "Undefined",
        TemplateNamespace => "Namespace",
        Macro => "Macro",
        LoopContext => "LoopContext",
        Cycler => "Cycler",
        Joiner => "Joiner",
        BoundMethod => "builtin_function_or_method",
        NativeFunction { IsType: true } => "type",
        _ => "function",
    };

    /// <summary>How Jinja describes the owner of a missing attribute: <c>dict object</c>, <c>None</c>.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "None",
        Markup => "markupsafe.Markup object",
        TemplateNamespace or Cycler or Joiner => $"jinja2.utils.{NameOf(value)} object",
        Macro or LoopContext or Undefined => $"jinja2.runtime.{NameOf(value)} object",
        PythonTuple { Fields: not null } => "jinja2.filters._GroupTuple object",
        _ => NameOf(value) + " object",
    };
}
