namespace Lorikeet.Text;

/// <summary>Python's <c>sorted</c>: equal keys keep their order, also when reversed.</summary>
internal static class StableSort
{
    /// <summary>The positions of the keys in sorted order.</summary>
    public static int[] Order(RenderState state, object?[] keys, bool reverse)
    {
        int[] order = [.. Enumerable.Range(0, keys.Length)];
        int[] merged = new int[keys.Length];
        for (int width = 1; width < keys.Length; width *= 2)
        {
            for (int start = 0; start < keys.Length; start += 2 * width)
            {
                int middle = Math.Min(start + width, keys.Length), end = Math.Min(start + (2 * width), keys.Length);
                int left = start, right = middle;
                for (int i = start; i < end; i++)
                {
                    bool takeRight = left == middle || (right < end && Before(state, keys[order[right]], keys[order[left]], reverse));
                    merged[i] = order[takeRight ? right++ : left++];
                }
            }
            (order, merged) = (merged, order);
        }
        return order;
    }

    private static bool Before(RenderState state, object? a, object? b, bool reverse)
    {
        state.Charge(Math.Min(PythonContainer.WeightOf(a), PythonContainer.WeightOf(b)));
        return reverse ? PythonOrder.ForSort(b, a) < 0 : PythonOrder.ForSort(a, b) < 0;
    }
}
