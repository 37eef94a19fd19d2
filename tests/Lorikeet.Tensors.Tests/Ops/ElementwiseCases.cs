using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Ops whose elements do not meet.</summary>
internal static class ElementwiseCases
{
    public static IEnumerable<OpCase> All(CaseSize s)
    {
        Shape shape = new(s.Rows, s.Dim);
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            // finite differences must not reach over a kink
            Func<float, float> element = activation is Activation.Relu or Activation.ReluSquared ? x => x + MathF.Sign(x) * 0.2f : x => 3 * x;
            yield return new("ActivationOp", $"{activation}", [new("x", shape) { Gapless = true, Element = element }],
                (tape, t) => tape.Activate(activation, t[0]));
            yield return new("GatedOp", $"{activation}", [new("gate", shape) { Element = element }, new("up", shape)],
                (tape, t) => tape.Gated(activation, t[0], t[1]));
        }
        yield return new("GatedOp", "gate and up are one tensor", [new("x", shape)], (tape, t) => tape.Gated(Activation.Silu, t[0], t[0]));

        yield return new("MultiplyOp", "two tensors", [new("a", shape) { Gapless = true }, new("b", shape) { Gapless = true }],
            (tape, t) => tape.Multiply(t[0], t[1]));
        yield return new("MultiplyOp", "a square", [new("x", shape) { Gapless = true }], (tape, t) => tape.Multiply(t[0], t[0]));

        yield return new("AddOp", "two tensors", [new("x", shape) { Gapless = true }, new("y", shape) { Gapless = true }], (tape, t) => tape.Add(t[0], t[1]));
        yield return new("AddOp", "a tensor and itself", [new("x", shape) { Gapless = true }], (tape, t) => tape.Add(t[0], t[0]));
        yield return new("AddOp", "a sum of sums", [new("x", shape) { Gapless = true }, new("y", shape) { Gapless = true }],
            (tape, t) => tape.Add(tape.Add(t[0], t[1]), tape.Add(t[1], t[0])));
        yield return new("AddOp", "in the memory of a product",
            [new("residual", new Shape(s.Rows, s.Out)) { Gapless = true }, new("x", shape), new("weight", new Shape(s.Out, s.Dim))],
            (tape, t) => tape.AddTo(t[0], tape.Linear(t[1], t[2])));
        yield return new("AddOp", "in the memory of a product, twice", [new("x", shape) { Gapless = true }, new("weight", new Shape(s.Dim, s.Dim))],
            (tape, t) => tape.AddTo(t[0], tape.AddTo(t[0], tape.Linear(t[0], t[1]))));

        yield return new("ScaleOp", "a factor", [new("x", shape) { Gapless = true }], (tape, t) => tape.Scale(t[0], -1.5f));
        yield return new("ScaleOp", "nothing", [new("x", shape) { Gapless = true }], (tape, t) => tape.Scale(t[0], 0));

        yield return new("DropoutOp", "a third", [new("x", shape) { Gapless = true }], (tape, t) => tape.Dropout(t[0], 0.3f));
        yield return new("DropoutOp", "all", [new("x", shape) { Gapless = true }], (tape, t) => tape.Dropout(t[0], 1));
        yield return new("DropoutOp", "none", [new("x", shape)], (tape, t) => tape.Scale(tape.Dropout(tape.Linear(t[0], t[0]), 0), 1));
        yield return new("DropoutOp", "two masks of one tensor", [new("x", shape) { Gapless = true }],
            (tape, t) => tape.Add(tape.Dropout(t[0], 0.3f), tape.Dropout(t[0], 0.5f)));

        yield return new("RandomOp", "uniform", [], (tape, _) =>
        {
            Tensor y = tape.New(shape);
            tape.FillUniform(y, -2, 3);
            return y;
        });
        yield return new("RandomOp", "normal", [], (tape, _) =>
        {
            Tensor y = tape.New(shape);
            tape.FillNormal(y, 1, 2);
            return y;
        });
    }
}
