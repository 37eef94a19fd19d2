namespace Lorikeet.Text;

/// <summary>Turns the alternation of matches and gaps into pieces as a <see cref="SplitBehavior"/> wants it.</summary>
internal struct PieceCollector(List<(int Start, int End)> parts, SplitBehavior behavior)
{
    private int _start;
    private int _end;
    private bool _pending;
    private bool _pendingIsMatch;

    /// <summary>Adds the next stretch, match or gap.</summary>
    public void Add(int start, int end, bool isMatch)
    {
        bool join = _pending && behavior switch
        {
            SplitBehavior.Contiguous => isMatch == _pendingIsMatch,
            SplitBehavior.MergedWithPrevious => isMatch && !_pendingIsMatch,
            SplitBehavior.MergedWithNext => _pendingIsMatch && !isMatch,
            _ => false,
        };
        if (!join)
        {
            Finish();
            _start = start;
        }
        _end = end;
        _pendingIsMatch = isMatch;
        _pending = !isMatch || behavior != SplitBehavior.Removed;
    }

    /// <summary>Adds what is still held back.</summary>
    public void Finish()
    {
        if (_pending && _start < _end)
            parts.Add((_start, _end));
        _pending = false;
    }
}
