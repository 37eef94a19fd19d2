namespace Lorikeet.Text;

/// <summary>What lists and tuples share: an array that nobody writes to after construction.</summary>
internal abstract class PythonSequence : PythonContainer
{
    protected PythonSequence(object?[] items)
    {
        Items = items;
        Measure(items);
    }

    public object?[] Items { get; }

    public int Count => Items.Length;

    public object? this[int index] => Items[index];
}
