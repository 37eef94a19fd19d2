using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary><c>y = x Wᵀ + b + s · (x Aᵀ) Bᵀ</c>: LoRA (Hu et al. 2021, arXiv:2106.09685) as one product.</summary>
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
    /// <param name="dropped">The input of A where it is not <paramref name="x"/> itself: x after dropout.</param>
    /// <returns><c>[rows, out]</c>.</returns>
    public static unsafe Tensor LowRankLinear(
        this Tape tape, Tensor x, Tensor weight, Tensor? bias, bool transposed, Tensor a, Tensor b, float scale, Tensor? dropped = null)
    {
        Tensor down = dropped ?? x;
        Check.F32("low-rank linear", x);
        Check.F32("low-rank linear", down);
        Check.SameShape("low-rank linear", x, down);
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
        Products.Multiply(Products.Plain(down), Products.Plain(a), t, a.Columns, 1, accumulate: false);
        Tensor y = tape.New(new Shape(x.Rows, b.Rows));
        Gemm.Run(new GemmCall
        {
            M = x.Rows,
            N = b.Rows,
            K = x.Columns,
            A = Products.Plain(x),
            B = transposed ? Products.Transposed(weight) : Products.Plain(weight),
            Alpha = 1,
            K2 = a.Rows,
            A2 = Products.Plain(t),
            B2 = Products.Plain(b),
            Alpha2 = scale,
            C = y.F,
            StrideC = y.Ld,
            Bias = bias is null ? null : bias.F,
        });
        if (!tape.Recording || !(x.RequiresGrad || down.RequiresGrad || weight.RequiresGrad || a.RequiresGrad || b.RequiresGrad || bias is { RequiresGrad: true }))
            return y;
        LowRankLinearNode node = tape.Rent<LowRankLinearNode>();
        (node.X, node.Weight, node.Bias, node.Transposed) = (x, weight, bias, transposed);
        (node.A, node.B, node.Scale, node.Dropped, node.T) = (Tape.Save(a), Tape.Save(b), scale, dropped, t);
        if (weight.RequiresGrad)
            Tape.Save(x);
        if (a.RequiresGrad)
            Tape.Save(down);
        if (x.RequiresGrad)
            Tape.Save(weight);
        return tape.Record(node, y);
    }

    private sealed unsafe class LowRankLinearNode : Node
    {
        public Tensor X = null!, Weight = null!, A = null!, B = null!, T = null!;
        public Tensor? Bias, Dropped;
        public bool Transposed;
        public float Scale;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            if (tape.GradOf(Weight, out bool there) is { } dw)
                Products.BackwardWeight(dy, X, Transposed, dw, there);
            if (tape.GradOf(Bias, out there) is { } dBias)
                Products.BackwardBias(dy, dBias, there);
            if (tape.GradOf(B, out there) is { } db)
                Products.Multiply(Products.Transposed(dy), Products.Transposed(T), db, dy.Rows, Scale, there);
            // T has done its work: its memory takes the derivative of itself, dt = s · dy B
            Products.Multiply(Products.Plain(dy), Products.Transposed(B), T, dy.Columns, Scale, accumulate: false);
            Tensor down = Dropped ?? X;
            if (tape.GradOf(A, out there) is { } da)
                Products.Multiply(Products.Transposed(T), Products.Transposed(down), da, dy.Rows, 1, there);
            if (Dropped is not null && tape.GradOf(Dropped, out there) is { } dDropped)
                Products.Multiply(Products.Plain(T), Products.Transposed(A), dDropped, A.Rows, 1, there);
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
                    K2 = Dropped is null ? A.Rows : 0,
                    A2 = Products.Plain(T),
                    B2 = Products.Transposed(A),
                    Alpha2 = 1,
                    C = dx.F,
                    StrideC = dx.Ld,
                    Accumulate = there,
                });
            }
            tape.Free(T);
        }

        protected internal override void Clear() => (X, Weight, Bias, A, B, T, Dropped) = (null!, null!, null, null!, null!, null!, null);
    }
}
