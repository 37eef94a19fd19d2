namespace Lorikeet.Text;

/// <summary>What entering a scope sets: each of its own names to the value from outside, or to nothing.</summary>
internal sealed class ScopeEntry(ScopeEntry.Initialiser[] initialisers)
{
    public void Enter(RenderState state)
    {
        foreach (Initialiser initialiser in initialisers)
            state.Frame.Slots[initialiser.Slot] = initialiser.Source is null ? Missing.Value : Read(state, initialiser.Source, initialiser.Depth);
    }

    /// <summary>The value of a variable <paramref name="depth"/> functions out.</summary>
    public static object? Read(RenderState state, Variable variable, int depth)
    {
        if (variable.Function is null)
            return state.Globals[variable.Index];
        Frame frame = state.Frame;
        for (; depth > 0; depth--)
            frame = frame.Parent!;
        return frame.Slots[variable.Index];
    }

    /// <summary>One name: its slot, and the variable that it starts out as.</summary>
    internal readonly record struct Initialiser(int Slot, Variable? Source, int Depth);
}
