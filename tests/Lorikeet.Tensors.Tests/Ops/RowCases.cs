namespace Lorikeet.Tensors.Tests;

/// <summary>Ops on whole rows: norms, columns, rotation, rows chosen by number.</summary>
internal static class RowCases
{
    public static IEnumerable<OpCase> All(CaseSize s)
    {
        Shape shape = new(s.Rows, s.Dim);
        OpInput x = new("x", shape), weight = new("weight", new Shape(s.Dim)), bias = new("bias", new Shape(s.Dim));

        yield return new("RmsNormOp", "a weight", [x, weight], (tape, t) => tape.RmsNorm(t[0], t[1], 1e-5f));
        yield return new("RmsNormOp", "a weight around zero", [x, weight], (tape, t) => tape.RmsNorm(t[0], t[1], 1e-5f, offset: 1));
        yield return new("RmsNormOp", "no weight", [x], (tape, t) => tape.RmsNorm(t[0], null, 1e-3f));
        yield return new("RmsNormOp", "each head of a row", [new("x", new Shape(s.Rows, s.Heads * s.HeadDim)) { Gapless = true }, new("weight", new Shape(s.HeadDim))],
            (tape, t) => tape.RmsNorm(tape.View(t[0], new Shape(s.Rows * s.Heads, s.HeadDim)), t[1], 1e-5f));

        yield return new("LayerNormOp", "weight and bias", [x, weight, bias], (tape, t) => tape.LayerNorm(t[0], t[1], t[2], 1e-5f));
        yield return new("LayerNormOp", "no bias", [x, weight], (tape, t) => tape.LayerNorm(t[0], t[1], null, 1e-5f));
        yield return new("LayerNormOp", "no weight", [x], (tape, t) => tape.LayerNorm(t[0], null, null, 1e-3f));

        yield return new("ScaleColumnsOp", "a factor a column", [x, new("factors", new Shape(s.Dim))], (tape, t) => tape.ScaleColumns(t[0], t[1]));

        yield return new("AddBiasOp", "behind a product", [x, new("weight", new Shape(s.Out, s.Dim)), new("bias", new Shape(s.Out))],
            (tape, t) => tape.AddBias(tape.Linear(t[0], t[1]), t[2]));
        yield return new("AddBiasOp", "in part of a product", [x, new("weight", new Shape(s.Out, s.Dim)), new("bias", new Shape(s.Out - 3))],
            (tape, t) =>
            {
                Tensor y = tape.Linear(t[0], t[1]);
                return tape.MatMul(tape.Columns(y, 0, 3), tape.AddBias(tape.Columns(y, 3, s.Out - 3), t[2]), transposeA: true, transposeB: true);
            });

        int half = s.HeadDim / 2, wide = s.Heads * s.HeadDim;
        foreach (bool interleaved in new[] { false, true })
        {
            foreach (int turned in new[] { half, half / 2 })
            {
                yield return new("RopeOp", $"{(interleaved ? "neighbours" : "halves")}, {(turned == half ? "all" : "part")} of a head",
                    [x, new("weight", new Shape(wide, s.Dim))],
                    (tape, t) =>
                    {
                        (Tensor cos, Tensor sin) = Tables(tape, s.Rows, turned);
                        return tape.Rope(tape.Linear(t[0], t[1]), cos, sin, s.HeadDim, interleaved);
                    });
            }
        }
        yield return new("RopeOp", "columns of a fused product", [x, new("weight", new Shape(2 * wide, s.Dim))], (tape, t) =>
        {
            (Tensor cos, Tensor sin) = Tables(tape, s.Rows, half);
            Tensor both = tape.Linear(t[0], t[1]);
            Tensor q = tape.Rope(tape.Columns(both, 0, wide), cos, sin, s.HeadDim), k = tape.Rope(tape.Columns(both, wide, wide), cos, sin, s.HeadDim);
            return tape.MatMul(q, k);
        });

        yield return new("RopeTablesOp", "cosines", [], (tape, _) => Tables(tape, s.Rows, half).Cos);
        yield return new("RopeTablesOp", "sines", [], (tape, _) => Tables(tape, s.Rows, half).Sin);

        yield return new("EmbeddingOp", "some rows twice, some never", [new("table", new Shape(s.Classes, s.Dim))],
            (tape, t) => tape.Embedding(t[0], OpCases.Integers(tape, s.Rows, i => i * i * 3 % (s.Classes - 1))));

        yield return new("SelectColumnsOp", "some columns twice, some never", [x],
            (tape, t) => tape.SelectColumns(t[0], OpCases.Integers(tape, s.Rows + 3, i => i * i % (s.Dim - 1))));
        yield return new("SelectRowsOp", "a new order", [x], (tape, t) => tape.SelectRows(t[0], OpCases.Integers(tape, s.Rows + 3, i => i * 7 % s.Rows)));
        yield return new("SelectRowsOp", "rows of two tensors", [x, new("other", new Shape(3, s.Dim))],
            (tape, t) => tape.SelectRows(t[0], t[1], OpCases.Integers(tape, s.Rows + 3, i => i < 4 ? -1 - i % 3 : i % s.Rows)));
        yield return new("SelectRowsOp", "no rows", [x], (tape, t) =>
        {
            Tensor none = tape.SelectRows(t[0], OpCases.Integers(tape, []));
            return tape.MatMul(none, none, transposeA: true, transposeB: true);
        });
    }

    private static (Tensor Cos, Tensor Sin) Tables(Tape tape, int rows, int half)
    {
        float[] frequencies = [.. Enumerable.Range(0, half).Select(i => MathF.Pow(100, -(float)i / half))];
        return tape.RopeTables(OpCases.Integers(tape, rows, i => 3 + 2 * i), frequencies, 1.25f);
    }
}
