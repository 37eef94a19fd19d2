namespace Lorikeet.Nn;

/// <summary>
/// Token ids of several sequences, one after another without padding, with the position of each. Buffers are used again after
/// <see cref="Clear"/>.
/// </summary>
public sealed class RaggedBatch
{
    private int[] _ids = new int[256];
    private int[] _positions = new int[256];
    private int[] _starts = new int[16];
    private int[] _groups = new int[16];
    private int[] _ahead = new int[16];
    private bool[] _unseenEnds = new bool[16];

    /// <summary>Rows: tokens of all sequences.</summary>
    public int Rows { get; private set; }

    /// <summary>How many sequences; they do not see each other.</summary>
    public int Sequences { get; private set; }

    /// <summary><c>[rows]</c>.</summary>
    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Rows);

    /// <summary><c>[rows]</c>.</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, Rows);

    /// <summary>First row of a sequence; of the one after the last: <see cref="Rows"/>.</summary>
    public int Start(int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequence, Sequences);
        return sequence == Sequences ? Rows : _starts[sequence];
    }

    /// <summary>Rows of a sequence.</summary>
    public int Length(int sequence) => Start(sequence + 1) - Start(sequence);

    /// <summary>
    /// Which user-visible row of the batch a sequence belongs to: packed documents of one row share it. Adapters are chosen by it.
    /// </summary>
    public int Group(int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, Sequences);
        return _groups[sequence];
    }

    /// <summary>
    /// Tokens of a sequence that are known and come in later passes. Where the length of a text decides how its positions turn, they count.
    /// </summary>
    public int Ahead(int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, Sequences);
        return _ahead[sequence];
    }

    /// <summary>
    /// True where no row sees the last row of a sequence, not even itself: a place that a mask leaves out, asked all the same for what the model says there.
    /// </summary>
    public bool HasUnseenEnd(int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, Sequences);
        return _unseenEnds[sequence];
    }

    /// <summary>Forgets all sequences.</summary>
    public void Clear() => Rows = Sequences = 0;

    /// <summary>Adds a sequence whose positions count up from <paramref name="firstPosition"/>.</summary>
    /// <param name="ids">Its tokens.</param>
    /// <param name="firstPosition">Position of the first.</param>
    /// <param name="group">See <see cref="Group"/>; a number of its own where negative.</param>
    /// <param name="ahead">See <see cref="Ahead"/>.</param>
    public void Add(ReadOnlySpan<int> ids, int firstPosition = 0, int group = -1, int ahead = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ahead);
        if (firstPosition < 0 || firstPosition > int.MaxValue - ids.Length)
            throw new ArgumentOutOfRangeException(nameof(firstPosition), $"{ids.Length} positions from {firstPosition}");
        Begin(ids.Length, group, ahead: ahead);
        for (int i = 0; i < ids.Length; i++)
        {
            _ids[Rows] = ids[i];
            _positions[Rows++] = firstPosition + i;
        }
    }

    /// <summary>Adds a sequence with positions of its own, ascending (padding was left out between them).</summary>
    /// <param name="ids">Its tokens.</param>
    /// <param name="positions">As many.</param>
    /// <param name="group">See <see cref="Group"/>; a number of its own where negative.</param>
    /// <param name="unseenEnd">See <see cref="HasUnseenEnd"/>.</param>
    public void Add(ReadOnlySpan<int> ids, ReadOnlySpan<int> positions, int group = -1, bool unseenEnd = false)
    {
        if (ids.Length != positions.Length)
            throw new ArgumentException($"{ids.Length} ids, {positions.Length} positions");
        for (int i = 0, before = 0; i < positions.Length; before = positions[i++])
        {
            if (positions[i] < before)
                throw new ArgumentException($"position {positions[i]} of row {i} comes after {before}: positions ascend from 0");
        }
        Begin(ids.Length, group, unseenEnd);
        ids.CopyTo(_ids.AsSpan(Rows));
        positions.CopyTo(_positions.AsSpan(Rows));
        Rows += ids.Length;
    }

    private void Begin(int length, int group, bool unseenEnd = false, int ahead = 0)
    {
        if (Sequences == _starts.Length)
        {
            Array.Resize(ref _starts, Sequences * 2);
            Array.Resize(ref _groups, Sequences * 2);
            Array.Resize(ref _ahead, Sequences * 2);
            Array.Resize(ref _unseenEnds, Sequences * 2);
        }
        if (Rows + length > _ids.Length)
        {
            int size = Math.Max(Rows + length, _ids.Length * 2);
            Array.Resize(ref _ids, size);
            Array.Resize(ref _positions, size);
        }
        _unseenEnds[Sequences] = unseenEnd;
        _ahead[Sequences] = ahead;
        _groups[Sequences] = group < 0 ? Sequences : group;
        _starts[Sequences++] = Rows;
    }
}
