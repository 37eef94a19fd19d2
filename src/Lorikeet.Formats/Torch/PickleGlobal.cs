namespace Lorikeet.Formats;

/// <summary>A Python name that a pickle refers to. It is only ever compared with the few names that are known; nothing is looked up or called.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Module}.{Name}";
}
