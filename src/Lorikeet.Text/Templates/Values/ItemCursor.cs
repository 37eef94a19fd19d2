namespace Lorikeet.Text;

/// <summary>Walks the items of a loop, and can look one ahead or count them all when the template asks for it.</summary>
internal sealed class ItemCursor
{
    private readonly RenderState _state;
    private object?[] _items;
    private int _next;
    private IEnumerator<object?>? _source;
    private object? _ahead = Missing.Value;

    // Items that a generator gave before the rest of it was counted.
    private int _consumed;

    public ItemCursor(RenderState state, object? iterable)
    {
        _state = state;
        _items = Iteration.ArrayOf(state, iterable) ?? [];
        if (iterable is PythonGenerator or LoopContext)
            _source = Iteration.Over(state, iterable);
        else if (!Iteration.IsIterable(iterable))
            throw Iteration.NotIterable(iterable);
    }

    public ItemCursor(RenderState state, IEnumerator<object?> source)
    {
        _state = state;
        _items = [];
        _source = source;
    }

    /// <summary>The item that the cursor stands on; <see cref="Missing"/> before the first.</summary>
    public object? Current { get; private set; } = Missing.Value;

    /// <summary>The item before it, or <see cref="Missing"/>.</summary>
    public object? Previous { get; private set; } = Missing.Value;

    /// <summary>The number of the current item, from 0.</summary>
    public int Index { get; private set; } = -1;

    /// <summary>How many items there are in all; this runs a generator to its end.</summary>
    public int Length
    {
        get
        {
            if (_source is not null)
            {
                List<object?> rest = [];
                for (object? item = Take(); !ReferenceEquals(item, Missing.Value); item = Take())
                {
                    _state.Charge(1);
                    _state.CheckItems(rest.Count + 1);
                    rest.Add(item);
                }
                _source = null;
                _items = [.. rest];
                _next = 0;
                _consumed = Index + 1;
            }
            return _consumed + _items.Length;
        }
    }

    public bool MoveNext()
    {
        object? next = Take();
        if (ReferenceEquals(next, Missing.Value))
            return false;
        Previous = Current;
        Current = next;
        Index++;
        return true;
    }

    /// <summary>The next item without going there, or <see cref="Missing"/>.</summary>
    public object? Peek()
    {
        if (_source is null)
            return _next < _items.Length ? _items[_next] : Missing.Value;
        if (ReferenceEquals(_ahead, Missing.Value) && _source.MoveNext())
            _ahead = _source.Current;
        return _ahead;
    }

    private object? Take()
    {
        object? next = Peek();
        if (_source is null)
            _next++;
        else
            _ahead = Missing.Value;
        return next;
    }
}
