namespace Lorikeet.Tensors;

/// <summary>Gradient checkpointing (Chen et al. 2016, arXiv:1604.06174).</summary>
public static class CheckpointOp
{
    /// <summary>
    /// Runs <paramref name="body"/> and keeps only its result; its inner activations are computed again when the derivative passes. The body must be
    /// a pure function of its arguments and the tape's random counter; parameters that it trains hold their gradient already.
    /// </summary>
    /// <param name="tape">The step.</param>
    /// <param name="x">What the body transforms.</param>
    /// <param name="state">Handed to the body.</param>
    /// <param name="body">A static function, so that nothing is allocated.</param>
    public static Tensor Checkpoint<TState>(this Tape tape, Tensor x, TState state, Func<TState, Tensor, Tensor> body) where TState : class
    {
        if (!tape.Recording)
            return body(state, x);
        if (x.ViewOf is not null)
            throw new ArgumentException($"checkpoint: {x} is part of another tensor");
        ulong counter = tape.Counter;
        int mark = tape.Mark();
        int position = tape.NodeCount;
        Tensor y = body(state, x);
        // the notes tell whether anything here wants a derivative; then they are dropped, to be made again when it comes
        bool wanted = tape.NodeCount > position;
        tape.ForgetTo(position);
        tape.ReleaseTo(mark, y);
        if (!wanted)
            return y;
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
            tape.Counter = Counter;
            int mark = tape.Mark();
            int position = tape.NodeCount;
            Tensor x = tape.Alias(X);
            x.RequiresGrad = X.RequiresGrad;
            tape.Recording = true;
            Tensor y = Body(State, x);
            tape.Recording = false;
            if (y.RequiresGrad)
            {
                y.Grad = Output.Grad;
                Output.Grad = null;
                tape.BackwardTo(position);
                if (x.RequiresGrad && x.Grad is not null)
                    tape.PassGrad(x, X);
            }
            tape.ReleaseTo(mark, X.RequiresGrad && X.Grad is { } grad ? grad : null);
            tape.Counter = counter;
        }

        protected internal override void Clear() => (X, State, Body) = (null!, null!, null!);
    }
}
