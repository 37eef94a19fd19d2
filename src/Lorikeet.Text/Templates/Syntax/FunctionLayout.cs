namespace Lorikeet.Text;

/// <summary>How many variables a function of the template holds (<see cref="Frame"/>), and how deep it is written inside others.</summary>
internal sealed class FunctionLayout(int depth)
{
    public int Depth { get; } = depth;

    public int SlotCount { get; private set; }

    public int NewSlot() => SlotCount++;
}
