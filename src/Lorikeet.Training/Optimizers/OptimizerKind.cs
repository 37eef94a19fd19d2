namespace Lorikeet.Training;

/// <summary>How AdamW keeps its moments.</summary>
/// <param name="EightBit">Eight bits each, in blocks (Dettmers et al. 2021), but for small tensors.</param>
/// <param name="Paged">In a file that takes memory only while it is worked on (Dettmers et al. 2023).</param>
public readonly record struct OptimizerKind(bool EightBit, bool Paged)
{
    private static readonly (string Name, OptimizerKind Kind)[] Own =
        [("adamw", default), ("adamw_8bit", new(true, false)), ("paged_adamw", new(false, true)), ("paged_adamw_8bit", new(true, true))];

    // what transformers calls the same
    private static readonly (string Name, OptimizerKind Kind)[] Foreign =
    [
        ("adamw_torch", default), ("adamw_torch_fused", default), ("adamw_hf", default), ("adamw_apex_fused", default), ("adamw_bnb_8bit", new(true, false)),
        ("adamw_torch_8bit", new(true, false)), ("paged_adamw_32bit", new(false, true)),
    ];

    /// <summary>The names of recipes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Own.Select(known => known.Name)];

    /// <summary>The kind of a name, of recipes or of transformers, in any case; null where none has it.</summary>
    public static OptimizerKind? Parse(string name) =>
        Own.Concat(Foreign).Where(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(known => (OptimizerKind?)known.Kind).FirstOrDefault();

    /// <summary>The name in recipes.</summary>
    public override string ToString()
    {
        OptimizerKind kind = this;
        return Own.First(known => known.Kind == kind).Name;
    }
}
