using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>Arithmetic on whole weights, for merging. A transposed weight is <c>[in, out]</c>.</summary>
internal static class Dense
{
    /// <summary><c>W += s · B A</c>.</summary>
    public static void AddLowRank(Tensor weight, bool transposed, Tensor a, Tensor b, float scale)
    {
        using Tape tape = new();
        // both orders are products of the thin factors; the weight's own orientation decides which side is outermost
        Tensor delta = transposed ? tape.MatMul(a, b, transposeA: true) : tape.MatMul(b, a, transposeB: true);
        Add(weight, delta, scale);
    }

    /// <summary><c>y += s · x</c>.</summary>
    public static void Add(Tensor y, Tensor x, float scale)
    {
        Span<float> to = y.Values, from = x.Values;
        for (int i = 0; i < to.Length; i++)
            to[i] += scale * from[i];
    }

    /// <summary>Multiplies what each output is made from by a factor.</summary>
    public static void ScaleOutputs(Tensor weight, bool transposed, Tensor factors)
    {
        Span<float> f = factors.Values;
        for (int row = 0; row < weight.Rows; row++)
        {
            Span<float> values = weight.Row(row);
            for (int i = 0; i < values.Length; i++)
                values[i] *= transposed ? f[i] : f[row];
        }
    }
}
