using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Ops made of matrix products.</summary>
internal static class LinearCases
{
    public static IEnumerable<OpCase> All(CaseSize s)
    {
        OpInput x = new("x", new Shape(s.Rows, s.Dim)), bias = new("bias", new Shape(s.Out));
        foreach (bool transposed in new[] { false, true })
        {
            OpInput weight = new("weight", transposed ? new Shape(s.Dim, s.Out) : new Shape(s.Out, s.Dim));
            string stored = transposed ? "[in, out]" : "[out, in]";
            yield return new("LinearOp", $"{stored}", [x, weight], (tape, t) => tape.Linear(t[0], t[1], null, transposed));
            yield return new("LinearOp", $"{stored} and bias", [x, weight, bias], (tape, t) => tape.Linear(t[0], t[1], t[2], transposed));

            OpInput a = new("A", new Shape(s.Rank, s.Dim)), b = new("B", new Shape(s.Out, s.Rank));
            yield return new("LowRankLinearOp", $"{stored}", [x, weight, a, b], (tape, t) => tape.LowRankLinear(t[0], t[1], null, transposed, t[2], t[3], 0.7f));
            yield return new("LowRankLinearOp", $"{stored} and bias", [x, weight, a, b, bias],
                (tape, t) => tape.LowRankLinear(t[0], t[1], t[4], transposed, t[2], t[3], 0.7f));
            yield return new("LowRankLinearOp", $"{stored} and dropout", [x with { Gapless = true }, weight, a, b],
                (tape, t) => tape.LowRankLinear(t[0], t[1], null, transposed, t[2], t[3], 0.7f, dropout: 0.4f));
        }

        foreach (DType type in new[] { DType.BF16, DType.F16, DType.Q8_0, DType.Q4_K })
        {
            int dim = Math.Max(type.BlockSize(), 8), outputs = type.IsBlocked() ? 7 : s.Out;
            OpInput wide = new("x", new Shape(s.Rows, dim)), stored = new("weight", new Shape(outputs, dim)) { Type = type, Differentiable = false };
            yield return new("LinearOp", $"a frozen weight in {type}", [wide, stored], (tape, t) => tape.Linear(t[0], t[1]));
            yield return new("LowRankLinearOp", $"a frozen weight in {type}",
                [wide, stored, new("A", new Shape(s.Rank, dim)), new("B", new Shape(outputs, s.Rank))],
                (tape, t) => tape.LowRankLinear(t[0], t[1], null, false, t[2], t[3], 2));
        }
        foreach (bool transposed in new[] { false, true })
        {
            OpInput[] frozen =
            [
                new("weight", transposed ? new Shape(s.Dim, s.Out) : new Shape(s.Out, s.Dim)) { Differentiable = false, Gapless = true },
                new("A", new Shape(s.Rank, s.Dim)) { Differentiable = false }, new("B", new Shape(s.Out, s.Rank)) { Differentiable = false },
            ];
            yield return new("LowRankNormsOp", transposed ? "[in, out]" : "[out, in]", frozen,
                (tape, t) => tape.LowRankNorms(t[0], transposed, t[1], t[2], 0.7f));
            yield return new("LowRankNormsOp", $"expanded, {(transposed ? "[in, out]" : "[out, in]")}", frozen,
                (tape, t) => tape.LowRankNorms(t[0], transposed, t[1], t[2], 0.7f, LowRankNormsOp.OutputSquares(t[0], transposed)));
            yield return new("LowRankNormsOp", $"reciprocal, {(transposed ? "[in, out]" : "[out, in]")}", frozen,
                (tape, t) => tape.Reciprocal(tape.LowRankNorms(t[0], transposed, t[1], t[2], 0.7f)));
        }
        yield return new("LinearOp", "a square of itself", [new("x", new Shape(s.Rows, s.Dim))], (tape, t) => tape.Linear(t[0], t[0]));

        foreach (bool transposeA in new[] { false, true })
        {
            foreach (bool transposeB in new[] { false, true })
            {
                OpInput a = new("a", transposeA ? new Shape(s.Dim, s.Rows) : new Shape(s.Rows, s.Dim));
                OpInput b = new("b", transposeB ? new Shape(s.Dim, s.Out) : new Shape(s.Out, s.Dim));
                yield return new("MatMulOp", $"{(transposeA ? "Aᵀ" : "A")} {(transposeB ? "B" : "Bᵀ")}", [a, b],
                    (tape, t) => tape.MatMul(t[0], t[1], transposeA, transposeB));
            }
        }
        yield return new("MatMulOp", "a tensor and itself", [x], (tape, t) => tape.MatMul(t[0], t[0]));
        yield return new("MatMulOp", "one row", [new("a", new Shape(1, s.Dim)), new("b", new Shape(s.Out, s.Dim))], (tape, t) => tape.MatMul(t[0], t[1]));
    }
}
