using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The product of two computed matrices.</summary>
public static class MatMulOp
{
    /// <summary><c>C = A Bᵀ</c> of <c>[m, k]</c> and <c>[n, k]</c>; a factor stored the other way round is named as transposed.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="a"><c>[m, k]</c>, or <c>[k, m]</c> where <paramref name="transposeA"/>.</param>
    /// <param name="b"><c>[n, k]</c>, or <c>[k, n]</c> where <paramref name="transposeB"/>.</param>
    /// <param name="transposeA">Memory holds A with k outermost.</param>
    /// <param name="transposeB">Memory holds B with k outermost.</param>
    /// <returns><c>[m, n]</c>.</returns>
    public static Tensor MatMul(this Tape tape, Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        Check.F32("product", a);
        Check.F32("product", b);
        int k = transposeA ? a.Rows : a.Columns;
        if (k != (transposeB ? b.Rows : b.Columns))
            throw new ArgumentException($"product: {a} and {b} do not share a size to sum over");
        Tensor c = tape.New(new Shape(transposeA ? a.Columns : a.Rows, transposeB ? b.Columns : b.Rows));
        Products.Multiply(transposeA ? Products.Transposed(a) : Products.Plain(a), transposeB ? Products.Transposed(b) : Products.Plain(b), c, k, 1, accumulate: false);
        if (!tape.Recording || !(a.RequiresGrad || b.RequiresGrad))
            return c;
        MatMulNode node = tape.Rent<MatMulNode>();
        (node.A, node.B, node.TransposeA, node.TransposeB) = (a, b, transposeA, transposeB);
        if (a.RequiresGrad)
            Tape.Save(b);
        if (b.RequiresGrad)
            Tape.Save(a);
        return tape.Record(node, c);
    }

    private sealed class MatMulNode : Node
    {
        public Tensor A = null!, B = null!;
        public bool TransposeA, TransposeB;

        protected internal override void Backward(Tape tape)
        {
            Tensor dc = Output.Grad!;
            // dA[m, k] = dC B and dB[n, k] = dCᵀ A; where a factor is stored transposed its derivative is made transposed
            if (tape.GradOf(A, out bool there) is { } da)
            {
                GemmOperand b = TransposeB ? Products.Plain(B) : Products.Transposed(B);
                if (TransposeA)
                    Products.Multiply(b, Products.Plain(dc), da, dc.Columns, 1, there);
                else
                    Products.Multiply(Products.Plain(dc), b, da, dc.Columns, 1, there);
            }
            if (tape.GradOf(B, out there) is { } db)
            {
                GemmOperand a = TransposeA ? Products.Plain(A) : Products.Transposed(A);
                if (TransposeB)
                    Products.Multiply(a, Products.Transposed(dc), db, dc.Rows, 1, there);
                else
                    Products.Multiply(Products.Transposed(dc), a, db, dc.Rows, 1, there);
            }
        }

        protected internal override void Clear() => (A, B) = (null!, null!);
    }
}
