namespace Lorikeet.Tensors;

/// <summary>One step of a computation that a derivative must pass through: what an op remembers of its forward pass.</summary>
public abstract class Node
{
    /// <summary>What the op made. Its <see cref="Tensor.Grad"/> is set when <see cref="Backward"/> is called.</summary>
    protected internal Tensor Output { get; internal set; } = null!;

    /// <summary>Adds the derivative of the loss with respect to each input to that input's gradient (see <see cref="Tape.GradOf"/>).</summary>
    protected internal abstract void Backward(Tape tape);

    /// <summary>True where <see cref="Remake"/> can write the output again from what the op has saved for its derivative anyway.</summary>
    protected internal virtual bool CanRemake => false;

    /// <summary>Writes the output's contents again: the same numbers, at the price of a pass over memory.</summary>
    protected internal virtual void Remake() => throw new NotSupportedException($"{GetType()} cannot make its output again");

    /// <summary>Forgets its tensors so that it can be used again.</summary>
    protected internal abstract void Clear();

    internal NodePool? Home { get; set; }
}

internal sealed class NodePool
{
    public readonly Stack<Node> Free = new();
}

internal static class NodeKind
{
    private static int _count;

    public static int Next() => Interlocked.Increment(ref _count) - 1;
}

internal static class NodeKind<T>
{
    public static readonly int Index = NodeKind.Next();
}
