namespace Lorikeet.Text;

/// <summary>A one-way, use-once sequence: what <c>map</c>, <c>select</c>, <c>items</c> and <c>reverse</c> give.</summary>
internal sealed class PythonGenerator(IEnumerable<object?> source, string name, string typeName = "generator")
{
    private IEnumerator<object?>? _running;

    public string Name { get; } = name;

    public string TypeName { get; } = typeName;

    /// <summary>The one enumerator, wherever it stands now.</summary>
    public IEnumerator<object?> Resume() => _running ??= source.GetEnumerator();
}
