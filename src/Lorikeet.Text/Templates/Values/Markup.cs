namespace Lorikeet.Text;

/// <summary>A string marked as safe HTML. It behaves as a string, but escapes the plain strings that it is joined with.</summary>
internal sealed class Markup(string text)
{
    public string Text { get; } = text;

    public static string Escape(string text) => text.AsSpan().IndexOfAny("&<>'\"") < 0
        ? text
        : text.Replace("&", "&amp;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
            .Replace("\"", "&#34;", StringComparison.Ordinal);

    /// <summary>The text of a value as it may stand inside HTML.</summary>
    public static string Escape(object? value, RenderState state) =>
        value is Markup markup ? markup.Text : Escape(PythonText.Str(value, state));
}
