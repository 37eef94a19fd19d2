namespace Lorikeet.Tensors.Tests;

public sealed class BinaryCrossEntropyOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void The_loss_is_minus_the_logarithm_of_the_chance_of_each_label()
    {
        Tensor x = Numbers.Trainable(1, 3, 2), targets = Tensor.FromValues([0, 1, 1, 0, 0.25f, 1], new Shape(3, 2));
        Tensor loss = _tape.BinaryCrossEntropy(x, targets, 0.25f);
        double expected = 0;
        for (int i = 0; i < 6; i++)
        {
            double chance = 1 / (1 + Math.Exp(-x.Values[i])), t = targets.Values[i];
            expected -= t * Math.Log(chance) + (1 - t) * Math.Log(1 - chance);
        }
        ((double)loss.Values[0]).ShouldBe(0.25 * expected, 1e-6);
        _tape.Backward(loss);
        x.Grad!.ShouldBeNear((row, column) => 0.25 * (1 / (1 + Math.Exp(-x.At(row, column))) - targets.At(row, column)));
    }

    // logits, labels and loss of a small model in transformers 5.23 and torch 2.13
    [Fact]
    public void Its_mean_is_that_of_torch()
    {
        Tensor x = Tensor.FromValues(
            [-0.4040478467941284f, -0.4399453401565552f, -0.20110885798931122f, 0.4714089035987854f, -0.3304489850997925f, -0.8384603261947632f, -0.49851635098457336f, -0.5428701639175415f],
            new Shape(2, 4));
        Tensor targets = Tensor.FromValues([0, 0, 0, 1, 1, 0, 1, 0], new Shape(2, 4));
        _tape.BinaryCrossEntropy(x, targets, 1 / 8f).Values[0].ShouldBe(0.5942163467407227f, 1e-6f);
    }

    [Theory]
    [InlineData(200, 1, 0)]
    [InlineData(200, 0, 200)]
    [InlineData(-200, 0, 0)]
    [InlineData(-200, 1, 200)]
    [InlineData(40, 1, 4.248354e-18)]
    public void Large_logits_lose_nothing(float logit, float target, double expected)
    {
        Tensor x = Tensor.FromValues([logit], new Shape(1, 1));
        x.RequiresGrad = true;
        Tensor loss = _tape.BinaryCrossEntropy(x, Tensor.FromValues([target], new Shape(1)), 1);
        ((double)loss.Values[0]).ShouldBe(expected, 1e-6 * expected + 1e-37);
        _tape.Backward(loss);
        ((double)x.Grad!.Values[0]).ShouldBe((logit > 0 ? 1 : 0) - target, 1e-6);
    }

    [Fact]
    public void There_are_as_many_targets_as_logits()
    {
        Should.Throw<ArgumentException>(() => _tape.BinaryCrossEntropy(Numbers.Random(1, 2, 2), Numbers.Random(2, 2, 1), 1)).Message.ShouldContain("4 f32 numbers");
    }
}
