namespace Lorikeet.Tensors.Tests;

public sealed class CrossEntropyOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true };

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0.2f)]
    public void The_loss_is_minus_the_logarithm_of_the_targets_share(float smoothing)
    {
        Tensor logits = Numbers.Trainable(1, 4, 5);
        int[] targets = [3, -100, 0, 4];
        Tensor each = Tensor.Create(new Shape(4));
        Tensor loss = _tape.CrossEntropy(logits, OpCases.Integers(_tape, targets), 0.25f, smoothing, each);
        double[] expected = [.. new[] { 0, 2, 3 }.Select(row =>
        {
            double sum = Enumerable.Range(0, 5).Sum(j => Math.Exp(logits.At(row, j)));
            double Minus(int j) => Math.Log(sum) - logits.At(row, j);
            return (1 - smoothing) * Minus(targets[row]) + smoothing * Enumerable.Range(0, 5).Average(Minus);
        })];
        ((double)loss.Values[0]).ShouldBe(0.25 * expected.Sum(), 1e-6);
        for (int i = 0; i < 3; i++)
            ((double)each.Values[i]).ShouldBe(expected[i], 1e-6);
        _tape.Backward(loss);
        logits.Grad!.Row(1).ToArray().ShouldAllBe(value => value == 0);
        logits.Grad!.Row(0).ToArray().Sum().ShouldBe(0, 1e-6);
    }

    [Fact]
    public void The_logits_stay_as_they_are()
    {
        Tensor logits = Numbers.Trainable(1, 4, 5);
        float[] before = logits.Values.ToArray();
        _tape.CrossEntropy(logits, OpCases.Integers(_tape, [0, 1, 2, 3]), 1);
        _tape.Recording = false;
        _tape.CrossEntropy(logits, OpCases.Integers(_tape, [0, 1, 2, 3]), 1);
        logits.Values.ToArray().ShouldBe(before);
    }

    [Fact]
    public void Targets_outside_the_classes_are_refused()
    {
        Tensor logits = Numbers.Random(1, 2, 5);
        Should.Throw<ArgumentException>(() => _tape.CrossEntropy(logits, OpCases.Integers(_tape, [0, 5]), 1)).Message.ShouldBe("target 5 of row 1 lies outside the 5 classes");
        Should.Throw<ArgumentException>(() => _tape.CrossEntropy(logits, OpCases.Integers(_tape, [0]), 1));
        Should.Throw<ArgumentException>(() => _tape.CrossEntropy(logits, Numbers.Random(2, 1, 2), 1));
        Should.Throw<ArgumentException>(() => _tape.CrossEntropy(logits, OpCases.Integers(_tape, [0, 1]), 1, tokenLosses: Tensor.Create(new Shape(1)))).Message.ShouldContain("2 targets");
    }
}
