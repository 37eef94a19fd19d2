namespace Lorikeet.Tensors.Tests;

public sealed class SquaredErrorOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void The_loss_is_what_the_differences_square_to()
    {
        Tensor x = Numbers.Trainable(1, 3, 2), targets = Numbers.Random(2, 3, 2);
        Tensor loss = _tape.SquaredError(x, targets, 0.25f);
        double expected = 0;
        for (int row = 0; row < 3; row++)
            expected += Math.Pow(x.At(row, 0) - targets.At(row, 0), 2) + Math.Pow(x.At(row, 1) - targets.At(row, 1), 2);
        ((double)loss.Values[0]).ShouldBe(0.25 * expected, 1e-6);
        _tape.Backward(loss);
        x.Grad!.ShouldBeNear((row, column) => 0.5 * (x.At(row, column) - targets.At(row, column)));
    }

    // predictions, labels and loss of a small regression model in transformers 5.23 and torch 2.13
    [Fact]
    public void Its_mean_is_that_of_torch()
    {
        Tensor x = Tensor.FromValues([0.428155779838562f, -0.10505436360836029f], new Shape(2, 1)), targets = Tensor.FromValues([-0.44532209634780884f, -0.5720590353012085f], new Shape(2));
        _tape.SquaredError(x, targets, 1 / 2f).Values[0].ShouldBe(0.4905284643173218f, 1e-6f);
    }

    [Fact]
    public void There_are_as_many_targets_as_predictions()
    {
        Should.Throw<ArgumentException>(() => _tape.SquaredError(Numbers.Random(1, 2, 2), Numbers.Random(2, 2, 1), 1)).Message.ShouldContain("4 f32 numbers");
    }
}
