using System.Collections.Frozen;

namespace Lorikeet.Text;

/// <summary>Every filter by name. Left out on purpose: <c>random</c> (a rendering is repeatable), and <c>pprint</c>, <c>urlize</c>, <c>wordwrap</c>.</summary>
internal static class TemplateFilters
{
    public static readonly FrozenDictionary<string, NativeFunction> All =
        new[] { TextFilters.All, SequenceFilters.All, HtmlFilters.All }.SelectMany(f => f).ToFrozenDictionary(f => f.Name);

    /// <summary>The filter that a value names, for <c>map</c>.</summary>
    public static NativeFunction Find(object? name) => name is string text && All.TryGetValue(text, out NativeFunction? filter)
        ? filter
        : throw EvaluationException.Runtime($"No filter named {PythonText.Repr(name)}.");
}
