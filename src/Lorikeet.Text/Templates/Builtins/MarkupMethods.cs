using System.Collections.Frozen;

namespace Lorikeet.Text;

/// <summary>The methods of markup: those of str, with results that are markup again and plain arguments made safe.</summary>
internal static class MarkupMethods
{
    private static readonly string[] Escaping = ["join", "replace", "ljust", "rjust", "center"];

    public static readonly FrozenDictionary<string, NativeFunction> All = StringMethods.All.Values
        .Select(Wrap)
        .Append(new NativeFunction("striptags", "/", a => HtmlFilters.StripTags(a.SelfText)))
        .Append(new NativeFunction("unescape", "/", a => HtmlFilters.Unescape(a.SelfText)))
        .ToFrozenDictionary(f => f.Name);

    private static NativeFunction Wrap(NativeFunction method)
    {
        switch (method.Name)
        {
            case "format":
                return new NativeFunction("format", "*args **kwargs", a => new Markup((string)StringMethods.Format(a, escape: true)));
            case "format_map":
                return new NativeFunction("format_map", "mapping /", a => new Markup((string)StringMethods.FormatMap(a, escape: true)));
        }
        bool escapes = Array.IndexOf(Escaping, method.Name) >= 0;
        return new NativeFunction(method.Name, "*args **kwargs", a =>
        {
            object?[] arguments = a.Rest(0);
            if (escapes)
                arguments = [.. arguments.Select(value => Safe(value, a.State))];
            return Marked(method.Call(a.State, a.SelfText, arguments, a.Options(1)));
        });
    }

    private static object? Safe(object? value, RenderState state) => value switch
    {
        string text => Markup.Escape(text),
        PythonContainer or PythonGenerator => new PythonList([.. Iteration.ToArray(state, value).Select(item => Safe(item, state))]),
        _ => value,
    };

    private static object? Marked(object? value) => value switch
    {
        string text => new Markup(text),
        PythonList list => new PythonList([.. list.Items.Select(Marked)]),
        PythonTuple tuple => new PythonTuple([.. tuple.Items.Select(Marked)]),
        _ => value,
    };
}
