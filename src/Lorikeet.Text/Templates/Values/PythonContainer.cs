namespace Lorikeet.Text;

/// <summary>
/// A list, tuple or dictionary. Containers never change once built. Each knows how deep it nests and how many values it holds in all,
/// so that walking one can be refused or paid for before it starts: shared parts can make a small object enormous.
/// </summary>
internal abstract class PythonContainer
{
    /// <summary>Lists inside lists beyond this depth are refused, so no walk can exhaust the stack.</summary>
    public const int MaxNesting = 200;

    private const long Saturated = long.MaxValue / 4;

    /// <summary>Values inside, counted as often as they appear, with those of inner containers.</summary>
    public long Weight { get; private set; } = 1;

    private int Depth { get; set; } = 1;

    /// <summary>What walking over a value once costs: a string counts one for each 16 characters more.</summary>
    public static long WeightOf(object? value) => value switch
    {
        string text => 1 + (text.Length >> 4),
        PythonContainer container => container.Weight,
        Markup markup => 1 + (markup.Text.Length >> 4),
        _ => 1,
    };

    protected void Measure(ReadOnlySpan<object?> items)
    {
        long weight = Weight + items.Length;
        int depth = Depth;
        foreach (object? item in items)
        {
            if (item is string text)
                weight += text.Length >> 4;
            if (item is not PythonContainer inner)
                continue;
            weight = Math.Min(weight + inner.Weight, Saturated);
            depth = Math.Max(depth, inner.Depth + 1);
        }
        if (depth > MaxNesting)
            throw EvaluationException.Limit($"lists and dictionaries are nested more than {MaxNesting} deep");
        Weight = weight;
        Depth = depth;
    }
}
