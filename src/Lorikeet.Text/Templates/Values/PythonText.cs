using System.Globalization;
using System.Numerics;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Python's <c>str</c> and <c>repr</c> of every value, and its idea of truth and length.</summary>
internal static class PythonText
{
    /// <summary>True for a string or markup, and gives its characters.</summary>
    public static bool IsText(object? value, out string text)
    {
        text = value as string ?? (value as Markup)?.Text ?? "";
        return value is string or Markup;
    }

    public static string Str(object? value, RenderState? state = null)
    {
        switch (value)
        {
            case string text:
                return text;
            case Markup markup:
                return markup.Text;
            case null:
                return "None";
            case bool flag:
                return flag ? "True" : "False";
            case long number:
                return number.ToString(CultureInfo.InvariantCulture);
            case Undefined:
                return "";
            default:
                StringBuilder builder = new();
                AppendRepr(builder, value, state);
                return builder.ToString();
        }
    }

    public static string Repr(object? value, RenderState? state = null)
    {
        StringBuilder builder = new();
        AppendRepr(builder, value, state);
        return builder.ToString();
    }

    /// <summary>Text without anything outside ASCII, as <c>ascii()</c> and <c>%a</c> write it.</summary>
    public static string Ascii(object? value, RenderState? state)
    {
        StringBuilder builder = new();
        foreach (int point in CodePoints.Of(Repr(value, state)))
            AppendEscaped(builder, point, point < 0x7f); // repr leaves no control characters
        return builder.ToString();
    }

    public static void AppendRepr(StringBuilder builder, object? value, RenderState? state)
    {
        state?.Grow(builder);
        switch (value)
        {
            case string text:
                state?.ChargeText(text.Length);
                AppendQuoted(builder, text);
                break;
            case Markup markup:
                state?.ChargeText(markup.Text.Length);
                builder.Append("Markup(");
                AppendQuoted(builder, markup.Text);
                builder.Append(')');
                break;
            case null or bool or long:
                builder.Append(Str(value));
                break;
            case BigInteger big:
                builder.Append(PythonNumbers.Text(big));
                break;
            case double number:
                builder.Append(PythonFloat.Repr(number));
                break;
            case PythonList list:
                AppendItems(builder, list.Items, '[', ']', state);
                break;
            case PythonTuple tuple:
                AppendItems(builder, tuple.Items, '(', tuple.Count == 1 ? "," : "", ')', state);
                break;
            case PythonDict dict:
                AppendDict(builder, dict, state);
                break;
            case PythonDictView view:
                builder.Append("dict_").Append(view.Kind).Append('(');
                AppendItems(builder, view.Items(), '[', ']', state);
                builder.Append(')');
                break;
            case PythonRange range:
                builder.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}");
                if (range.Step != 1)
                    builder.Append(CultureInfo.InvariantCulture, $", {range.Step}");
                builder.Append(')');
                break;
            case Undefined:
                builder.Append("Undefined");
                break;
            case TemplateNamespace space:
                AppendNamespace(builder, space, state);
                break;
            case Macro macro:
                builder.Append("<Macro ");
                AppendQuoted(builder, macro.Name);
                builder.Append('>');
                break;
            case LoopContext loop:
                builder.Append(CultureInfo.InvariantCulture, $"<LoopContext {loop.Index}/{loop.Length}>");
                break;
            case PythonGenerator generator:
                builder.Append(CultureInfo.InvariantCulture, $"<{generator.TypeName} object {generator.Name} at 0x0>");
                break;
            case BoundMethod method:
                builder.Append(CultureInfo.InvariantCulture, $"<built-in method {method.Function.Name} of {PythonTypes.NameOf(method.Self)} object at 0x0>");
                break;
            case NativeFunction function:
                builder.Append(function.IsType ? $"<class '{function.Name}'>" : $"<function {function.Name} at 0x0>");
                break;
            default:
                builder.Append(CultureInfo.InvariantCulture, $"<{PythonTypes.NameOf(value)} object at 0x0>");
                break;
        }
    }

    public static bool IsTrue(object? value) => value switch
    {
        bool flag => flag,
        null or Undefined => false,
        string text => text.Length > 0,
        long number => number != 0,
        double number => number != 0,
        BigInteger number => !number.IsZero,
        PythonSequence sequence => sequence.Count > 0,
        PythonDict dict => dict.Count > 0,
        Markup markup => markup.Text.Length > 0,
        PythonDictView view => view.Dict.Count > 0,
        PythonRange range => range.Count > 0,
        LoopContext loop => loop.Length > 0,
        _ => true,
    };

    /// <summary>Python's <c>len</c>.</summary>
    public static int Length(object? value) => value switch
    {
        string text => CodePoints.Count(text),
        PythonSequence sequence => sequence.Count,
        PythonDict dict => dict.Count,
        Markup markup => CodePoints.Count(markup.Text),
        PythonDictView view => view.Dict.Count,
        PythonRange range => range.Count,
        Undefined => 0,
        LoopContext loop => loop.Length,
        _ => throw EvaluationException.Type($"object of type '{PythonTypes.NameOf(value)}' has no len()"),
    };

    private static void AppendItems(StringBuilder builder, object?[] items, char open, char close, RenderState? state) =>
        AppendItems(builder, items, open, "", close, state);

    private static void AppendItems(StringBuilder builder, object?[] items, char open, string tail, char close, RenderState? state)
    {
        builder.Append(open);
        for (int i = 0; i < items.Length; i++)
        {
            if (i > 0)
                builder.Append(", ");
            AppendRepr(builder, items[i], state);
        }
        builder.Append(tail).Append(close);
    }

    private static void AppendDict(StringBuilder builder, PythonDict dict, RenderState? state)
    {
        builder.Append('{');
        for (int i = 0; i < dict.Count; i++)
        {
            if (i > 0)
                builder.Append(", ");
            AppendRepr(builder, dict.Keys[i], state);
            builder.Append(": ");
            AppendRepr(builder, dict.Values[i], state);
        }
        builder.Append('}');
    }

    // A namespace can hold itself, the one way to a cycle: one that is being printed shows its outline only.
    private static void AppendNamespace(StringBuilder builder, TemplateNamespace space, RenderState? state)
    {
        if (state is null || !state.BeginPrinting(space))
        {
            builder.Append("<Namespace {...}>");
            return;
        }
        builder.Append("<Namespace {");
        for (int i = 0; i < space.Count; i++)
        {
            if (i > 0)
                builder.Append(", ");
            (string name, object? value) = space[i];
            AppendQuoted(builder, name);
            builder.Append(": ");
            AppendRepr(builder, value, state);
        }
        builder.Append("}>");
        state.EndPrinting(space);
    }

    private static void AppendQuoted(StringBuilder builder, string text)
    {
        char quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        builder.Append(quote);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == quote || c == '\\')
                builder.Append('\\').Append(c);
            else if (c is >= ' ' and < '\x7f')
                builder.Append(c);
            else if (i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1]))
                AppendEscaped(builder, char.ConvertToUtf32(c, text[++i]));
            else
                AppendEscaped(builder, c);
        }
        builder.Append(quote);
    }

    private static void AppendEscaped(StringBuilder builder, int point) => AppendEscaped(builder, point, CodePoints.IsPrintable(point));

    private static void AppendEscaped(StringBuilder builder, int point, bool plain)
    {
        if (plain)
            builder.Append(CodePoints.Text(point));
        else if (point is '\n' or '\r' or '\t')
            builder.Append(point == '\n' ? "\\n" : point == '\r' ? "\\r" : "\\t");
        else if (point < 0x100)
            builder.Append(CultureInfo.InvariantCulture, $"\\x{point:x2}");
        else if (point < 0x10000)
            builder.Append(CultureInfo.InvariantCulture, $"\\u{point:x4}");
        else
            builder.Append(CultureInfo.InvariantCulture, $"\\U{point:x8}");
    }
}
