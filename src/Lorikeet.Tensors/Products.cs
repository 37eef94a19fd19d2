using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The matrix products that linear layers and their derivatives are made of, in terms of tensors.</summary>
internal static unsafe class Products
{
    /// <summary>A factor seen as <c>[rows, k]</c> with k contiguous in memory.</summary>
    public static GemmOperand Plain(Tensor t) => t.Factor(transposed: false);

    /// <summary>A factor stored as <c>[k, rows]</c>.</summary>
    public static GemmOperand Transposed(Tensor t) => t.Factor(transposed: true);

    /// <summary>A layer's weight as a factor; interleaved where a pass without derivatives multiplies its codes.</summary>
    public static GemmOperand Weight(Tape tape, Tensor weight, bool transposed)
    {
        GemmOperand operand = transposed ? Transposed(weight) : Plain(weight);
        if (tape is { Precision: GemmPrecision.Int8, Recording: false } && !transposed)
            operand.Panels = weight.Panels();
        return operand;
    }

    /// <summary><c>y = x Wᵀ + b</c>.</summary>
    public static GemmCall Forward(Tape tape, Tensor x, Tensor weight, Tensor? bias, bool transposed, Tensor y) => new()
    {
        M = x.Rows,
        N = y.Columns,
        K = x.Columns,
        A = Plain(x),
        B = Weight(tape, weight, transposed),
        Alpha = 1,
        C = y.F,
        StrideC = y.Ld,
        Bias = bias is null ? null : bias.F,
        Precision = tape.Precision,
    };

    /// <summary><c>dx (+)= dy W</c>.</summary>
    public static void BackwardInput(Tensor dy, Tensor weight, bool transposed, Tensor dx, bool accumulate, GemmPrecision precision) => Gemm.Run(new GemmCall
    {
        M = dy.Rows,
        N = dx.Columns,
        K = dy.Columns,
        A = Plain(dy),
        B = transposed ? Plain(weight) : Transposed(weight),
        Alpha = 1,
        C = dx.F,
        StrideC = dx.Ld,
        Accumulate = accumulate,
        Precision = precision,
    });

    /// <summary><c>dW (+)= dyᵀ x</c>, or <c>xᵀ dy</c> where the weight is stored transposed.</summary>
    public static void BackwardWeight(Tensor dy, Tensor x, bool transposed, Tensor dw, bool accumulate, GemmPrecision precision) =>
        Multiply(Transposed(transposed ? x : dy), Transposed(transposed ? dy : x), dw, dy.Rows, 1, accumulate, precision);

    /// <summary><c>db (+)= Σ rows of dy</c>.</summary>
    public static void BackwardBias(Tensor dy, Tensor db, bool accumulate)
    {
        if (!accumulate)
            VectorKernel.Fill(0, db.F, db.Shape.Elements);
        VectorKernel.AddRowsTo(dy.F, dy.Ld, dy.Rows, dy.Columns, db.F);
    }

    /// <summary><c>c (+)= alpha · A Bᵀ</c>.</summary>
    public static void Multiply(GemmOperand a, GemmOperand b, Tensor c, int k, float alpha, bool accumulate, GemmPrecision precision = GemmPrecision.Single) => Gemm.Run(new GemmCall
    {
        M = c.Rows,
        N = c.Columns,
        K = k,
        A = a,
        B = b,
        Alpha = alpha,
        C = c.F,
        StrideC = c.Ld,
        Accumulate = accumulate,
        Precision = precision,
    });
}
