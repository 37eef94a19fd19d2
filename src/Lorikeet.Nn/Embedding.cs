using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>Rows of a table, chosen by token ids <c>[rows]</c> (i32).</summary>
public sealed class Embedding : Place<Embedding, Tensor>
{
    /// <summary>A table of its own.</summary>
    public Embedding(Weights weights, int vocabulary, int dim) : base(weights) => Weight = weights.Matrix("weight", vocabulary, dim);

    /// <summary><c>[vocabulary, dim]</c>. An adapter that brings a whole table along puts its own here.</summary>
    public Parameter Weight { get; set; }

    /// <inheritdoc/>
    public override Tensor Plain(Tensor input, Step step) => step.Tape.Embedding(Weight.Value, input);
}
