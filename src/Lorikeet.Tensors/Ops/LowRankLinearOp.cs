using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary><c>y = x Wᵀ + b + s · (drop(x) Aᵀ) Bᵀ</c>: LoRA (Hu et al. 2021, arXiv:2106.09685) as one product.</summary>
public static class LowRankLinearOp
{
    /// <summary>
    /// A linear layer and its low-rank update. The update's second product runs as more columns of the first one's sum, so it never passes over
    /// <c>y</c> again; the same holds for the derivative with respect to <c>x</c>.
    /// </summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, in]</c>.</param>
    /// <param name="weight"><c>[out, in]</c>, or <c>[in, out]</c> where <paramref name="transposed"/>.</param>
    /// <param name="bias"><c>[out]</c> or null.</param>
    /// <param name="transposed">The weight is stored as GPT-2's Conv1D stores it.</param>
    /// <param name="a"><c>[rank, in]</c>.</param>
    /// <param name="b"><c>[out, rank]</c>.</param>
    /// <param name="scale">alpha / rank.</param>
    /// <param name="dropout">
    /// Share of x that A does not see. What it sees is not kept: the derivative draws the mask again, so dropout costs no memory.
    /// </param>
    /// <returns><c>[rows, out]</c>.</returns>
    public static unsafe Tensor LowRankLinear(
        this Tape tape, Tensor x, Tensor weight, Tensor? bias, bool transposed, Tensor a, Tensor b, float scale, float dropout = 0)
    {
        Check.F32("low-rank linear", x);
        if (dropout > 0)
            Check.Contiguous("low-rank linear with dropout", x);
        Check.Columns("low-rank linear", x, transposed ? weight.Rows : weight.Columns);
        Check.Rows("low-rank linear", b, transposed ? weight.Columns : weight.Rows);
        Check.Columns("low-rank linear", x, a.Columns);
        Check.Columns("low-rank linear", b, a.Rows);
        Check.Weight("low-rank linear", weight);
        Check.Weight("low-rank linear", a);
        Check.Weight("low-rank linear", b);
        if (bias is not null)
            Check.Vector("low-rank linear", bias, b.Rows);
        Tensor t = tape.New(new Shape(x.Rows, a.Rows));
        ulong counter = dropout > 0 ? tape.Draw(x.Shape.Elements) : 0;
        Tensor seen = Seen(tape, x, dropout, counter);
        Products.Multiply(Products.Plain(seen), Products.Plain(a), t, a.Columns, 1, accumulate: false);
        if (seen != x)
            tape.Free(seen);
        Tensor y = tape.New(new Shape(x.Rows, b.Rows));
        Gemm.Run(new GemmCall
        {
            M = x.Rows,
            N = b.Rows,
            K = x.Columns,
            A = Products.Plain(x),
            B = Products.Weight(tape, weight, transposed),
            Alpha = 1,
            K2 = a.Rows,
            A2 = Products.Plain(t),
            B2 = Products.Plain(b),
            Alpha2 = scale,
            C = y.F,
            StrideC = y.Ld,
            Bias = bias is null ? null : bias.F,
            Precision = tape.Precision,
        });
        if (!tape.Recording || !(x.RequiresGrad || weight.RequiresGrad || a.RequiresGrad || b.RequiresGrad || bias is { RequiresGrad: true }))
            return y;
        LowRankLinearNode node = tape.Rent<LowRankLinearNode>();
        (node.X, node.Weight, node.Bias, node.Transposed) = (x, weight, bias, transposed);
        (node.A, node.B, node.Scale, node.T, node.Dropout, node.Counter) = (Tape.Save(a), Tape.Save(b), scale, Tape.Save(t), dropout, counter);
        if (weight.RequiresGrad || a.RequiresGrad)
            Tape.Save(x);
        if (x.RequiresGrad)
            Tape.Save(weight);
        return tape.Record(node, y);
    }

    /// <summary>The input of A: x, or a copy of it after dropout.</summary>
    private static unsafe Tensor Seen(Tape tape, Tensor x, float dropout, ulong counter)
    {
        if (dropout <= 0)
            return x;
        Tensor seen = tape.New(x.Shape);
        RandomKernel.DropoutForward(x.F, seen.F, x.Shape.Elements, dropout, tape.Seed, counter);
        return seen;
    }

    private sealed unsafe class LowRankLinearNode : Node
    {
        public Tensor X = null!, Weight = null!, A = null!, B = null!, T = null!;
        public Tensor? Bias;
        public bool Transposed;
        public float Scale, Dropout;
        public ulong Counter;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            if (tape.GradOf(Weight, out bool there) is { } dw)
                Products.BackwardWeight(dy, X, Transposed, dw, there, tape.Precision);
            if (tape.GradOf(Bias, out there) is { } dBias)
                Products.BackwardBias(dy, dBias, there);
            if (tape.GradOf(B, out there) is { } db)
                Products.Multiply(Products.Transposed(dy), Products.Transposed(T), db, dy.Rows, Scale, there);
            // T has done its work: its memory takes the derivative of itself, dt = s · dy B
            Products.Multiply(Products.Plain(dy), Products.Transposed(B), T, dy.Columns, Scale, accumulate: false);
            if (tape.GradOf(A, out there) is { } da)
            {
                Tensor seen = Seen(tape, X, Dropout, Counter);
                Products.Multiply(Products.Transposed(T), Products.Transposed(seen), da, dy.Rows, 1, there);
                if (seen != X)
                    tape.Free(seen);
            }
            if (tape.GradOf(X, out there) is { } dx)
            {
                Gemm.Run(new GemmCall
                {
                    M = dy.Rows,
                    N = dx.Columns,
                    K = dy.Columns,
                    A = Products.Plain(dy),
                    B = Transposed ? Products.Plain(Weight) : Products.Transposed(Weight),
                    Alpha = 1,
                    K2 = Dropout > 0 ? 0 : A.Rows,
                    A2 = Products.Plain(T),
                    B2 = Products.Transposed(A),
                    Alpha2 = 1,
                    C = dx.F,
                    StrideC = dx.Ld,
                    Accumulate = there,
                    Precision = tape.Precision,
                });
                if (Dropout > 0)
                    AddThroughMask(tape, dx);
            }
            tape.Free(T);
        }

        protected internal override void Clear() => (X, Weight, Bias, A, B, T) = (null!, null!, null, null!, null!, null!);

        private void AddThroughMask(Tape tape, Tensor dx)
        {
            Tensor dSeen = tape.New(X.Shape);
            Products.Multiply(Products.Plain(T), Products.Transposed(A), dSeen, A.Rows, 1, accumulate: false);
            RandomKernel.DropoutBackward(dSeen.F, dx.F, accumulate: true, X.Shape.Elements, Dropout, tape.Seed, Counter);
            tape.Free(dSeen);
        }
    }
}
