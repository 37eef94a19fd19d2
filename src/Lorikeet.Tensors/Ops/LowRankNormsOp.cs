using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Norms of a weight with its low-rank update, for DoRA. No derivative passes through them.</summary>
public static unsafe class LowRankNormsOp
{
    // below this share of |w|² the expanded sum has lost too many digits
    private const float Cancelled = 0.01f;

    /// <summary>The norm of each row of <c>W + s · B A</c>.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="weight"><c>[out, in]</c>, or <c>[in, out]</c> where <paramref name="transposed"/>; any storage.</param>
    /// <param name="transposed">The weight is stored as GPT-2's Conv1D stores it.</param>
    /// <param name="a"><c>[rank, in]</c>.</param>
    /// <param name="b"><c>[out, rank]</c>.</param>
    /// <param name="scale">s.</param>
    /// <param name="squares">
    /// <c>[out]</c>, what <see cref="OutputSquares"/> says of the weight: then the squares are <c>|w|² + 2s b·(A w) + s² b·(A Aᵀ b)</c>, one product of
    /// rank rows instead of the whole updated weight. Null computes that.
    /// </param>
    /// <returns><c>[out]</c>.</returns>
    public static Tensor LowRankNorms(this Tape tape, Tensor weight, bool transposed, Tensor a, Tensor b, float scale, Tensor? squares = null)
    {
        int inputs = transposed ? weight.Rows : weight.Columns, outputs = transposed ? weight.Columns : weight.Rows;
        Check.Weight("low-rank norms", weight);
        Check.Contiguous("low-rank norms", weight);
        Check.Columns("low-rank norms", a, inputs);
        Check.Rows("low-rank norms", b, outputs);
        Check.Columns("low-rank norms", b, a.Rows);
        if (squares is not null)
            Check.Vector("low-rank norms", squares, outputs);
        Tensor norms = tape.New(new Shape(outputs));
        int mark = tape.Mark();
        if (squares is null || !Expanded(tape, weight, transposed, a, b, scale, squares, norms))
            Whole(tape, weight, transposed, a, b, scale, norms);
        tape.ReleaseTo(mark);
        return norms;
    }

    /// <summary>The sum of the squares of what each output of a weight is made from, in memory of its own.</summary>
    /// <param name="weight"><c>[out, in]</c>, or <c>[in, out]</c> where <paramref name="transposed"/>; any storage.</param>
    /// <param name="transposed">The weight is stored as GPT-2's Conv1D stores it.</param>
    /// <returns><c>[out]</c>.</returns>
    public static Tensor OutputSquares(Tensor weight, bool transposed)
    {
        ArgumentNullException.ThrowIfNull(weight);
        Check.Weight("squares of outputs", weight);
        Tensor squares = Tensor.Create(new Shape(transposed ? weight.Columns : weight.Rows)), row = Tensor.Create(new Shape(weight.Columns));
        double[] sums = new double[transposed ? weight.Columns : 0];
        for (int i = 0; i < weight.Rows; i++)
        {
            RowReader.Read(weight, i, row.F);
            if (!transposed)
                squares.F[i] = (float)VectorKernel.SumSquares(row.F, weight.Columns);
            for (int j = 0; j < sums.Length; j++)
                sums[j] += (double)row.F[j] * row.F[j];
        }
        for (int j = 0; j < sums.Length; j++)
            squares.F[j] = (float)sums[j];
        return squares;
    }

    private static bool Expanded(Tape tape, Tensor weight, bool transposed, Tensor a, Tensor b, float scale, Tensor squares, Tensor norms)
    {
        int rank = a.Rows, outputs = b.Rows;
        Tensor gram = tape.New(new Shape(rank, rank)), t = tape.New(new Shape(rank, outputs));
        Products.Multiply(Products.Plain(a), Products.Plain(a), gram, a.Columns, 1, accumulate: false);
        Gemm.Run(new GemmCall
        {
            M = rank,
            N = outputs,
            K = a.Columns,
            A = Products.Plain(a),
            B = transposed ? Products.Transposed(weight) : Products.Plain(weight),
            Alpha = 2 * scale,
            K2 = rank,
            A2 = Products.Plain(gram),
            B2 = Products.Plain(b),
            Alpha2 = scale * scale,
            C = t.F,
            StrideC = t.Ld,
        });
        for (int j = 0; j < outputs; j++)
        {
            float* factors = b.F + j * b.Ld;
            double square = squares.F[j];
            for (int k = 0; k < rank; k++)
                square += (double)factors[k] * t.F[k * t.Ld + j];
            if (square < Cancelled * squares.F[j])
                return false;
            norms.F[j] = (float)Math.Sqrt(square);
        }
        return true;
    }

    private static void Whole(Tape tape, Tensor weight, bool transposed, Tensor a, Tensor b, float scale, Tensor norms)
    {
        Tensor sum = tape.New(new Shape(weight.Rows, weight.Columns));
        RowReader.ReadAll(weight, sum.F);
        Products.Multiply(transposed ? Products.Transposed(a) : Products.Plain(b), transposed ? Products.Plain(b) : Products.Transposed(a), sum, a.Rows, scale, accumulate: true);
        if (!transposed)
        {
            VectorKernel.RowNorms(sum.F, sum.Ld, sum.Rows, sum.Columns, norms.F);
            return;
        }
        norms.Fill(0);
        VectorKernel.Mul(sum.F, sum.F, sum.F, sum.Shape.Elements);
        VectorKernel.AddRowsTo(sum.F, sum.Ld, sum.Rows, sum.Columns, norms.F);
        for (int i = 0; i < norms.Columns; i++)
            norms.F[i] = MathF.Sqrt(norms.F[i]);
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
