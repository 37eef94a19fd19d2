using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Norms of a weight with its low-rank update, for DoRA. No derivative passes through them.</summary>
public static unsafe class LowRankNormsOp
{
    /// <summary>The norm of each row of <c>W + s · B A</c>.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="weight"><c>[out, in]</c>, or <c>[in, out]</c> where <paramref name="transposed"/>; any storage.</param>
    /// <param name="transposed">The weight is stored as GPT-2's Conv1D stores it.</param>
    /// <param name="a"><c>[rank, in]</c>.</param>
    /// <param name="b"><c>[out, rank]</c>.</param>
    /// <param name="scale">s.</param>
    /// <returns><c>[out]</c>.</returns>
    public static Tensor LowRankNorms(this Tape tape, Tensor weight, bool transposed, Tensor a, Tensor b, float scale)
    {
        int inputs = transposed ? weight.Rows : weight.Columns, outputs = transposed ? weight.Columns : weight.Rows;
        Check.Weight("low-rank norms", weight);
        Check.Contiguous("low-rank norms", weight);
        Check.Columns("low-rank norms", a, inputs);
        Check.Rows("low-rank norms", b, outputs);
        Check.Columns("low-rank norms", b, a.Rows);
        Tensor norms = tape.New(new Shape(outputs));
        int mark = tape.Mark();
        Tensor sum = tape.New(new Shape(weight.Rows, weight.Columns));
        BlockFormats.DequantizeParallel(weight.Type, weight.Pointer, weight.Shape.Elements, sum.F);
        Products.Multiply(transposed ? Products.Transposed(a) : Products.Plain(b), transposed ? Products.Plain(b) : Products.Transposed(a), sum, a.Rows, scale, accumulate: true);
        if (!transposed)
        {
            VectorKernel.RowNorms(sum.F, sum.Ld, sum.Rows, sum.Columns, norms.F);
        }
        else
        {
            norms.Fill(0);
            VectorKernel.Mul(sum.F, sum.F, sum.F, sum.Shape.Elements);
            VectorKernel.AddRowsTo(sum.F, sum.Ld, sum.Rows, sum.Columns, norms.F);
            for (int i = 0; i < outputs; i++)
                norms.F[i] = MathF.Sqrt(norms.F[i]);
        }
        tape.ReleaseTo(mark);
        return norms;
    }

    /// <summary><c>1 / x</c> of a tensor that wants no derivative.</summary>
    public static Tensor Reciprocal(this Tape tape, Tensor x)
    {
        if (x.RequiresGrad)
            throw new ArgumentException($"reciprocal: {x} wants a derivative, none passes");
        Check.Vector("reciprocal", x, x.Shape.Elements);
        Tensor y = tape.New(x.Shape);
        for (long i = 0; i < x.Shape.Elements; i++)
            y.F[i] = 1 / x.F[i];
        return y;
    }
}
