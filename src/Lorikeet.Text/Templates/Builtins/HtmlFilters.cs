using System.Buffers;
using System.Net;
using System.Text;

namespace Lorikeet.Text;

/// <summary>The filters that make HTML and URLs.</summary>
internal static class HtmlFilters
{
    private static readonly SearchValues<char> NotInNames = SearchValues.Create(" \t\n\r\f\v/>=");

    public static readonly NativeFunction[] All =
    [
        new("e", "value", Escape),
        new("escape", "value", Escape),
        new("forceescape", "value", a => new Markup(Markup.Escape(TextFilters.Soft(a)))),
        new("striptags", "value", a => StripTags(TextFilters.Soft(a))),
        new("urlencode", "value", UrlEncode),
        new("xmlattr", "d autospace?", XmlAttributes),
    ];

    public static string Unescape(string text) => WebUtility.HtmlDecode(text);

    /// <summary>Without comments and tags, white space folded, entities resolved.</summary>
    public static string StripTags(string text)
    {
        text = Cut(Cut(text, "<!--", "-->"), "<", ">");
        return Unescape(string.Join(' ', text.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)));
    }

    private static Markup Escape(NativeArguments a) => a[0] as Markup ?? new Markup(Markup.Escape(TextFilters.Soft(a)));

    private static string Cut(string text, string open, string close)
    {
        StringBuilder result = new();
        int done = 0;
        for (int at = text.IndexOf(open, StringComparison.Ordinal); at >= 0; at = text.IndexOf(open, done, StringComparison.Ordinal))
        {
            int end = text.IndexOf(close, at, StringComparison.Ordinal);
            if (end < 0)
                break;
            result.Append(text, done, at - done);
            done = end + close.Length;
        }
        return result.Append(text, done, text.Length - done).ToString();
    }

    private static string UrlEncode(NativeArguments a)
    {
        if (PythonText.IsText(a[0], out string text))
            return Quote(a.State, text, keepSlash: true);
        if (!Iteration.IsIterable(a[0]))
            return Quote(a.State, PythonText.Str(a[0], a.State), keepSlash: true);
        object?[] pairs = a[0] is PythonDict dict ? dict.Pairs() : Iteration.ToArray(a.State, a[0]);
        StringBuilder result = new();
        foreach (object? pair in pairs)
        {
            object?[] items = Iteration.Unpack(a.State, pair, 2);
            if (result.Length > 0)
                result.Append('&');
            result.Append(Form(a.State, items[0])).Append('=').Append(Form(a.State, items[1]));
            a.State.Grow(result);
        }
        return result.ToString();
    }

    private static string Form(RenderState state, object? value) =>
        Quote(state, PythonText.Str(value, state), keepSlash: false).Replace("%20", "+", StringComparison.Ordinal);

    private static string Quote(RenderState state, string text, bool keepSlash)
    {
        state.CheckText(text.Length * 3L);
        StringBuilder result = new();
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            char c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '~' || (c == '/' && keepSlash))
                result.Append(c);
            else
                result.Append('%').Append(Convert.ToHexString([b]));
        }
        return result.ToString();
    }

    private static string XmlAttributes(NativeArguments a)
    {
        PythonDict attributes = a[0] as PythonDict ?? throw EvaluationException.Type($"xmlattr needs a mapping, not {PythonTypes.NameOf(a[0])}");
        StringBuilder result = new();
        for (int i = 0; i < attributes.Count; i++)
        {
            if (attributes.Values[i] is null or Undefined)
                continue;
            string name = PythonText.Str(attributes.Keys[i], a.State);
            if (name.AsSpan().ContainsAny(NotInNames))
                throw EvaluationException.Value($"Invalid character in attribute name: {PythonText.Repr(name)}");
            if (result.Length > 0 || a.Flag(1, true))
                result.Append(' ');
            result.Append(Markup.Escape(name)).Append("=\"").Append(Markup.Escape(attributes.Values[i], a.State)).Append('"');
            a.State.Grow(result);
        }
        return result.ToString();
    }
}
