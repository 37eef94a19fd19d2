namespace Lorikeet.Tensors.Tests;

public sealed class LinearCrossEntropyOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true, Poisons = true };

    public void Dispose() => _tape.Dispose();

    // 66000 classes make chunks of 127 rows
    [Theory]
    [InlineData(5, 9, 0)]
    [InlineData(5, 9, 0.1f)]
    [InlineData(140, 66_000, 0)]
    [InlineData(7, 2048, 0.1f)]
    public void It_is_a_linear_layer_and_cross_entropy_in_less_memory(int rows, int vocabulary, float smoothing)
    {
        const int dim = 4;
        Tensor[] one = [Numbers.Trainable(1, rows, dim), Numbers.Trainable(2, vocabulary, dim), Numbers.Trainable(3, 1, vocabulary)];
        Tensor[] two = [Numbers.Trainable(1, rows, dim), Numbers.Trainable(2, vocabulary, dim), Numbers.Trainable(3, 1, vocabulary)];
        Tensor targets = OpCases.Integers(_tape, rows, i => i % 11 == 4 ? -1 : i * 977 % vocabulary);
        Tensor each = Tensor.Create(new Shape(rows)), eachOfTwo = Tensor.Create(new Shape(rows));
        Tensor loss = _tape.LinearCrossEntropy(one[0], one[1], one[2], targets, 1f / rows, smoothing, tokenLosses: each);
        long peak = _tape.PeakBytes;
        Tensor expected = _tape.CrossEntropy(_tape.Linear(two[0], two[1], two[2]), targets, 1f / rows, smoothing, eachOfTwo);
        loss.Values[0].ShouldBe(expected.Values[0], 1e-6f * expected.Values[0]);
        each.ShouldBeNear(eachOfTwo.At);
        _tape.Backward(_tape.Add(loss, expected));
        for (int i = 0; i < one.Length; i++)
            one[i].Grad!.ShouldBeNear(two[i].Grad!.At);
        if (rows > 127)
            peak.ShouldBeLessThan(_tape.PeakBytes / 2);
    }

    [Fact]
    public void The_scale_of_logits_acts_before_the_softmax()
    {
        Tensor hidden = Numbers.Random(1, 3, 4), weight = Numbers.Random(2, 9, 4), targets = OpCases.Integers(_tape, [1, 2, 3]);
        float loss = _tape.LinearCrossEntropy(hidden, weight, null, targets, 1, logitScale: 0.3f).Values[0];
        loss.ShouldBe(_tape.CrossEntropy(_tape.Scale(_tape.Linear(hidden, weight), 0.3f), targets, 1).Values[0], 1e-5f);
    }

    [Fact]
    public void Its_derivative_is_that_of_the_loss_itself()
    {
        Tensor hidden = Numbers.Trainable(1, 3, 4), weight = Numbers.Random(2, 9, 4), targets = OpCases.Integers(_tape, [1, 2, 3]);
        Tensor half = _tape.Scale(_tape.LinearCrossEntropy(hidden, weight, null, targets, 1), 0.5f);
        Should.Throw<InvalidOperationException>(() => _tape.Backward(half)).Message.ShouldContain("scaled through its own argument");
    }

    [Fact]
    public void A_frozen_head_gets_no_gradient_memory()
    {
        Tensor hidden = Numbers.Trainable(1, 3, 4), weight = Numbers.Random(2, 9, 4), bias = Numbers.Random(3, 1, 9);
        _tape.Backward(_tape.LinearCrossEntropy(hidden, weight, bias, OpCases.Integers(_tape, [1, 2, 3]), 1));
        weight.Grad.ShouldBeNull();
        bias.Grad.ShouldBeNull();
        hidden.Grad.ShouldNotBeNull();
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Tensor hidden = Numbers.Random(1, 2, 4), weight = Numbers.Random(2, 9, 4);
        Should.Throw<ArgumentException>(() => _tape.LinearCrossEntropy(hidden, weight, null, OpCases.Integers(_tape, [0, 9]), 1)).Message.ShouldContain("target 9 of row 1");
        Should.Throw<ArgumentException>(() => _tape.LinearCrossEntropy(hidden, weight, null, OpCases.Integers(_tape, [0]), 1));
        Should.Throw<ArgumentException>(() => _tape.LinearCrossEntropy(hidden, Numbers.Random(2, 9, 5), null, OpCases.Integers(_tape, [0, 1]), 1));
        Should.Throw<ArgumentException>(() => _tape.LinearCrossEntropy(hidden, weight, Numbers.Random(2, 1, 8), OpCases.Integers(_tape, [0, 1]), 1));
    }
}
