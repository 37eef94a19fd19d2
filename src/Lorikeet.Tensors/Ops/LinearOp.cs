using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary><c>y = x Wᵀ + b</c>.</summary>
public static class LinearOp
{
    /// <summary>
    /// The product of a linear layer. The weight keeps its storage (f32, bf16, f16, blocks): it is widened inside the product. A frozen weight
    /// gets no derivative and costs none.
    /// </summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, in]</c>.</param>
    /// <param name="weight"><c>[out, in]</c>, or <c>[in, out]</c> where <paramref name="transposed"/>.</param>
    /// <param name="bias"><c>[out]</c> or null.</param>
    /// <param name="transposed">The weight is stored as GPT-2's Conv1D stores it.</param>
    /// <returns><c>[rows, out]</c>.</returns>
    public static Tensor Linear(this Tape tape, Tensor x, Tensor weight, Tensor? bias = null, bool transposed = false)
    {
        Tensor y = Output(tape, x, weight, bias, transposed);
        Gemm.Run(Products.Forward(tape, x, weight, bias, transposed, y));
        if (!tape.Recording || !(x.RequiresGrad || weight.RequiresGrad || bias is { RequiresGrad: true }))
            return y;
        LinearNode node = tape.Rent<LinearNode>();
        (node.X, node.Weight, node.Bias, node.Transposed) = (x, weight, bias, transposed);
        if (weight.RequiresGrad)
            Tape.Save(x);
        if (x.RequiresGrad)
            Tape.Save(weight);
        return tape.Record(node, y);
    }

    /// <summary>
    /// Several layers of the same input in a pass without derivatives: one job for the threads, and the input is quantised once where precision says so.
    /// </summary>
    /// <param name="tape">The step; not recording.</param>
    /// <param name="x"><c>[rows, in]</c>.</param>
    /// <param name="layers">Weights <c>[out, in]</c>, each with a bias <c>[out]</c> or null; at most <see cref="MostTogether"/>.</param>
    /// <param name="outputs">Receives a tensor <c>[rows, out]</c> of each.</param>
    public static unsafe void LinearTogether(this Tape tape, Tensor x, ReadOnlySpan<(Tensor Weight, Tensor? Bias)> layers, Span<Tensor> outputs)
    {
        if (tape.Recording)
            throw new InvalidOperationException("products that run together have no derivatives");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(layers.Length, MostTogether);
        GemmCall* calls = stackalloc GemmCall[MostTogether];
        for (int i = 0; i < layers.Length; i++)
        {
            (Tensor weight, Tensor? bias) = layers[i];
            outputs[i] = Output(tape, x, weight, bias, transposed: false);
            calls[i] = Products.Forward(tape, x, weight, bias, transposed: false, outputs[i]);
        }
        Gemm.RunTogether(new ReadOnlySpan<GemmCall>(calls, layers.Length));
    }

    /// <summary>The most layers that <see cref="LinearTogether"/> takes.</summary>
    public const int MostTogether = 4;

    private static Tensor Output(Tape tape, Tensor x, Tensor weight, Tensor? bias, bool transposed)
    {
        int inputs = transposed ? weight.Rows : weight.Columns;
        int outputs = transposed ? weight.Columns : weight.Rows;
        Check.F32("linear", x);
        Check.Columns("linear", x, inputs);
        Check.Weight("linear", weight);
        if (bias is not null)
            Check.Vector("linear", bias, outputs);
        return tape.New(new Shape(x.Rows, outputs));
    }

    private sealed class LinearNode : Node
    {
        public Tensor X = null!, Weight = null!;
        public Tensor? Bias;
        public bool Transposed;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            if (tape.GradOf(Weight, out bool there) is { } dw)
                Products.BackwardWeight(dy, X, Transposed, dw, there, tape.Precision);
            if (tape.GradOf(Bias, out there) is { } db)
                Products.BackwardBias(dy, db, there);
            if (tape.GradOf(X, out there) is { } dx)
                Products.BackwardInput(dy, Weight, Transposed, dx, there, tape.Precision);
        }

        protected internal override void Clear() => (X, Weight, Bias) = (null!, null!, null);
    }
}
