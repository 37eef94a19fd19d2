using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The product of two computed matrices.</summary>
public static class MatMulOp
{
    /// <summary><c>C = A Bᵀ</c> of <c>[m, k]</c> and <c>[n, k]</c>; a factor stored the other way round is named as turned.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="a"><c>[m, k]</c>, or <c>[k, m]</c> where <paramref name="turnA"/>.</param>
    /// <param name="b"><c>[n, k]</c>, or <c>[k, n]</c> where <paramref name="turnB"/>.</param>
    /// <param name="turnA">Memory holds A with k outermost.</param>
    /// <param name="turnB">Memory holds B with k outermost.</param>
    /// <returns><c>[m, n]</c>.</returns>
    public static Tensor MatMul(this Tape tape, Tensor a, Tensor b, bool turnA = false, bool turnB = false)
    {
        int k = turnA ? a.Rows : a.Columns;
        if (k != (turnB ? b.Rows : b.Columns))
            throw new ArgumentException($"product: {a} and {b} do not share a size to sum over");
        Tensor c = tape.New(new Shape(turnA ? a.Columns : a.Rows, turnB ? b.Columns : b.Rows));
        Products.Multiply(turnA ? Products.Turned(a) : Products.Plain(a), turnB ? Products.Turned(b) : Products.Plain(b), c, k, 1, accumulate: false);
        if (!tape.Recording || !(a.RequiresGrad || b.RequiresGrad))
            return c;
        MatMulNode node = tape.Rent<MatMulNode>();
        (node.A, node.B, node.TurnA, node.TurnB) = (a, b, turnA, turnB);
        return tape.Record(node, c);
    }

    private sealed class MatMulNode : Node
    {
        public Tensor A = null!, B = null!;
        public bool TurnA, TurnB;

        protected internal override void Backward(Tape tape)
        {
            Tensor dc = Output.Grad!;
            // dA[m, k] = dC B and dB[n, k] = dCᵀ A; where a factor is stored turned its derivative is made turned
            if (tape.GradOf(A, out bool there) is { } da)
            {
                GemmOperand b = TurnB ? Products.Plain(B) : Products.Turned(B);
                if (TurnA)
                    Products.Multiply(b, Products.Plain(dc), da, dc.Columns, 1, there);
                else
                    Products.Multiply(Products.Plain(dc), b, da, dc.Columns, 1, there);
            }
            if (tape.GradOf(B, out there) is { } db)
            {
                GemmOperand a = TurnA ? Products.Plain(A) : Products.Turned(A);
                if (TurnB)
                    Products.Multiply(a, Products.Turned(dc), db, dc.Rows, 1, there);
                else
                    Products.Multiply(Products.Turned(dc), a, db, dc.Rows, 1, there);
            }
        }

        protected internal override void Clear() => (A, B) = (null!, null!);
    }
}
