namespace Lorikeet.Tensors.Tests;

/// <summary>Losses: the derivative of a single number.</summary>
internal static class LossCases
{
    public static IEnumerable<OpCase> All(CaseSize s)
    {
        (string Name, Func<int, int> Target)[] targets =
        [
            ("a target a row", i => i * 5 % s.Classes),
            ("rows without a target", i => i % 3 == 1 ? -100 : i * 5 % s.Classes),
            ("no target at all", _ => -100),
        ];
        foreach ((string name, Func<int, int> target) in targets)
        {
            foreach (float smoothing in new[] { 0f, 0.1f })
            {
                string full = smoothing == 0 ? name : $"{name}, smoothed";
                yield return new("CrossEntropyOp", full, [new("logits", new Shape(s.Rows, s.Classes)) { Gapless = true, Element = x => 2 * x }],
                    (tape, t) => tape.CrossEntropy(t[0], OpCases.Integers(tape, s.Rows, target), 0.3f, smoothing));
                yield return new("LinearCrossEntropyOp", full, Head(s),
                    (tape, t) => tape.LinearCrossEntropy(t[0], t[1], t[2], OpCases.Integers(tape, s.Rows, target), 0.3f, smoothing, logitScale: 0.8f));
            }
        }
        yield return new("CrossEntropyOp", "half of a loss", [new("logits", new Shape(s.Rows, s.Classes)) { Gapless = true }],
            (tape, t) => tape.Scale(tape.CrossEntropy(t[0], OpCases.Integers(tape, s.Rows, i => i), 0.3f), 0.5f));
        yield return new("CrossEntropyOp", "scaled to nothing", [new("logits", new Shape(s.Rows, s.Classes)) { Gapless = true }],
            (tape, t) => tape.CrossEntropy(t[0], OpCases.Integers(tape, s.Rows, i => i), 0));
        OpInput[] pair = [new("predicted", new Shape(s.Rows, s.Classes)) { Gapless = true, Element = x => 3 * x }, new("targets", new Shape(s.Rows, s.Classes)) { Gapless = true, Differentiable = false, Element = x => (x + 1) / 2 }];
        yield return new("SquaredErrorOp", "a number each", pair, (tape, t) => tape.SquaredError(t[0], t[1], 0.3f));
        yield return new("SquaredErrorOp", "half of a loss", pair, (tape, t) => tape.Scale(tape.SquaredError(t[0], t[1], 0.3f), 0.5f));
        yield return new("BinaryCrossEntropyOp", "a number each", pair, (tape, t) => tape.BinaryCrossEntropy(t[0], t[1], 0.3f));
        yield return new("BinaryCrossEntropyOp", "half of a loss", pair, (tape, t) => tape.Scale(tape.BinaryCrossEntropy(t[0], t[1], 0.3f), 0.5f));
        yield return new("LinearCrossEntropyOp", "scaled to nothing", Head(s),
            (tape, t) => tape.LinearCrossEntropy(t[0], t[1], t[2], OpCases.Integers(tape, s.Rows, i => i), 0));
        yield return new("LinearCrossEntropyOp", "no bias", Head(s)[..2],
            (tape, t) => tape.LinearCrossEntropy(t[0], t[1], null, OpCases.Integers(tape, s.Rows, i => i), 0.3f));
        yield return new("LinearCrossEntropyOp", "a sum of two losses", Head(s)[..2],
            (tape, t) => tape.Add(tape.LinearCrossEntropy(t[0], t[1], null, OpCases.Integers(tape, s.Rows, i => i), 0.3f),
                tape.LinearCrossEntropy(t[0], t[1], null, OpCases.Integers(tape, s.Rows, i => i + 1), 0.1f)));
    }

    private static OpInput[] Head(CaseSize s) =>
        [new("hidden", new Shape(s.Rows, s.Dim)), new("weight", new Shape(s.Classes, s.Dim)), new("bias", new Shape(s.Classes))];
}
