namespace Lorikeet.Text;

/// <summary>Python's list, immutable as the sandbox demands.</summary>
internal sealed class PythonList(object?[] items) : PythonSequence(items)
{
    public static readonly PythonList Empty = new([]);
}
