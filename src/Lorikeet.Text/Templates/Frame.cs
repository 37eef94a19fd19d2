namespace Lorikeet.Text;

/// <summary>The variables of one running function: the template itself, a macro, a call block or a recursive loop.</summary>
internal sealed class Frame(int slots, Frame? parent)
{
    public readonly object?[] Slots = new object?[slots];

    /// <summary>The function that this one was written inside of.</summary>
    public readonly Frame? Parent = parent;
}
