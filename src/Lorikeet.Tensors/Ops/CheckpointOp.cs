namespace Lorikeet.Tensors;

/// <summary>Gradient checkpointing (Chen et al. 2016, arXiv:1604.06174).</summary>
public static class CheckpointOp
{
    /// <summary>
    /// Runs <paramref name="body"/> and keeps only its result; its inner activations are computed again when the derivative passes. The body must be
    /// a pure function of its arguments and the tape's random counter.
    /// </summary>
    /// <param name="tape">The step.</param>
    /// <param name="x">What the body transforms.</param>
    /// <param name="state">Handed to the body.</param>
    /// <param name="body">A static function, so that nothing is allocated.</param>
    public static Tensor Checkpoint<TState>(this Tape tape, Tensor x, TState state, Func<TState, Tensor, Tensor> body) where TState : class
    {
        ulong counter = tape.Counter;
        int mark = tape.Mark();
        int position = tape.NodeCount;
        if (tape.Recording)
            Tape.Save(x);
        Tensor y = body(state, x);
        // the notes tell whether anything here wants a derivative; then they are dropped, to be made again when it comes
        bool wanted = tape.NodeCount > position;
        tape.ForgetTo(position);
        tape.ReleaseTo(mark, y);
        // what was there before, or is part of it, passes its derivative itself
        if (!wanted || y == x || y.ViewOf is not null)
            return y;
        // its values were saved for notes that are gone
        if (y.Storage is { } block)
            block.Saved = false;
        CheckpointNode<TState> node = tape.Rent<CheckpointNode<TState>>();
        (node.X, node.State, node.Body, node.Counter) = (x, state, body, counter);
        return tape.Record(node, y);
    }

    private sealed class CheckpointNode<TState> : Node where TState : class
    {
        public Tensor X = null!;
        public TState State = null!;
        public Func<TState, Tensor, Tensor> Body = null!;
        public ulong Counter;

        protected internal override void Backward(Tape tape)
        {
            ulong counter = tape.Counter;
            int mark = tape.Mark();
            int position = tape.NodeCount;
            tape.Counter = Counter;
            tape.Recording = true;
            Tensor y = Body(State, X);
            tape.Recording = false;
            tape.PassGrad(Output, y);
            tape.BackwardTo(position);
            tape.ReleaseTo(mark);
            tape.Counter = counter;
        }

        protected internal override void Clear() => (X, State, Body) = (null!, null!, null!);
    }
}
