using System.Numerics;

namespace Lorikeet.Text;

/// <summary>Python's slices, <c>value[start:stop:step]</c>.</summary>
internal static class Slicing
{
    public static object? Slice(RenderState state, object? value, object? start, object? stop, object? step)
    {
        switch (value)
        {
            case string text:
                return SliceText(state, text, start, stop, step);
            case Markup markup:
                return new Markup(SliceText(state, markup.Text, start, stop, step));
            case PythonList list:
                return new PythonList(SliceItems(state, list.Items, start, stop, step));
            case PythonTuple tuple:
                return new PythonTuple(SliceItems(state, tuple.Items, start, stop, step));
            case PythonRange range:
                (int first, int count, long stride) = Resolve(range.Count, start, stop, step);
                long begin = count == 0 ? range.Start : range[first];
                Int128 wide = (Int128)stride * range.Step;
                return PythonRange.Create(begin, Narrow(begin + (count * wide)), Narrow(wide));
            case Undefined undefined:
                throw undefined.Error();
            case PythonDict:
                throw EvaluationException.Type("unhashable type: 'slice'");
            default:
                throw EvaluationException.Type($"'{PythonTypes.NameOf(value)}' object is not subscriptable");
        }
    }

    /// <summary>The first index, how many items and the stride of a slice over <paramref name="length"/> items.</summary>
    public static (int First, int Count, long Stride) Resolve(int length, object? start, object? stop, object? step)
    {
        long stride = step is null ? 1 : Index(step);
        if (stride == 0)
            throw EvaluationException.Value("slice step cannot be zero");
        stride = Math.Clamp(stride, -int.MaxValue, int.MaxValue);
        long lowest = stride > 0 ? 0 : -1, highest = stride > 0 ? length : length - 1;
        long first = start is null ? (stride > 0 ? lowest : highest) : Bound(start, length, lowest, highest);
        long end = stop is null ? (stride > 0 ? highest : lowest) : Bound(stop, length, lowest, highest);
        long span = stride > 0 ? end - first : first - end;
        long count = span <= 0 ? 0 : (span + Math.Abs(stride) - 1) / Math.Abs(stride);
        return ((int)first, (int)count, stride);
    }

    private static string SliceText(RenderState state, string text, object? start, object? stop, object? step)
    {
        state.ChargeText(text.Length);
        if (!CodePoints.HasSurrogates(text))
        {
            (int first, int count, long stride) = Resolve(text.Length, start, stop, step);
            return stride == 1
                ? text.Substring(count == 0 ? 0 : first, count)
                : string.Create(count, (text, first, stride), static (span, from) =>
                {
                    for (int i = 0; i < span.Length; i++)
                        span[i] = from.text[(int)(from.first + (i * from.stride))];
                });
        }
        int[] points = CodePoints.Of(text);
        (int begin, int total, long by) = Resolve(points.Length, start, stop, step);
        int[] chosen = new int[total];
        for (int i = 0; i < total; i++)
            chosen[i] = points[begin + (i * by)];
        return CodePoints.Text(chosen);
    }

    private static object?[] SliceItems(RenderState state, object?[] items, object? start, object? stop, object? step)
    {
        (int first, int count, long stride) = Resolve(items.Length, start, stop, step);
        state.Charge(count);
        object?[] chosen = new object?[count];
        for (int i = 0; i < count; i++)
            chosen[i] = items[first + (i * stride)];
        return chosen;
    }

    private static long Narrow(Int128 value) => (long)Int128.Clamp(value, -long.MaxValue, long.MaxValue);

    private static long Bound(object? value, int length, long lowest, long highest)
    {
        long index = Index(value);
        if (index < 0)
            index += length;
        return Math.Clamp(index, lowest, highest);
    }

    private static long Index(object? value) => value switch
    {
        long number => Math.Max(number, -long.MaxValue / 2),
        bool flag => flag ? 1 : 0,
        BigInteger big => big.Sign < 0 ? -long.MaxValue / 2 : long.MaxValue,
        Undefined undefined => throw undefined.Error(),
        _ => throw EvaluationException.Type("slice indices must be integers or None or have an __index__ method"),
    };
}
