namespace Lorikeet.Text;

/// <summary>What <c>dict.keys()</c>, <c>values()</c> and <c>items()</c> give.</summary>
internal sealed class PythonDictView(PythonDict dict, string kind)
{
    public PythonDict Dict { get; } = dict;

    /// <summary><c>keys</c>, <c>values</c> or <c>items</c>.</summary>
    public string Kind { get; } = kind;

    public object?[] Items() => Kind switch
    {
        "keys" => Dict.Keys,
        "values" => Dict.Values,
        _ => Dict.Pairs(),
    };
}
