namespace Lorikeet.Text;

/// <summary>Python's range. The sandbox allows at most <see cref="MaxCount"/> numbers, so counts fit an int.</summary>
internal sealed class PythonRange(long start, long stop, long step, int count)
{
    public const int MaxCount = 100_000;

    public long Start { get; } = start;

    public long Stop { get; } = stop;

    public long Step { get; } = step;

    public int Count { get; } = count;

    public long this[int index] => Start + (index * Step);

    public static PythonRange Create(long start, long stop, long step)
    {
        if (step == 0)
            throw EvaluationException.Value("range() arg 3 must not be zero");
        Int128 span = step > 0 ? (Int128)stop - start : (Int128)start - stop;
        Int128 width = step > 0 ? step : -(Int128)step;
        Int128 count = span <= 0 ? 0 : (span + width - 1) / width;
        if (count > MaxCount)
            throw EvaluationException.Limit($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxCount}).");
        return new PythonRange(start, stop, step, (int)count);
    }

    public bool Contains(object? value)
    {
        if (value is double number)
            value = Math.Floor(number) == number && Math.Abs(number) < long.MaxValue ? (long)number : null;
        if (value is bool flag)
            value = flag ? 1L : 0L;
        if (value is not long item || Count == 0)
            return false;
        Int128 offset = (Int128)item - Start;
        return offset % Step == 0 && offset / Step >= 0 && offset / Step < Count;
    }
}
