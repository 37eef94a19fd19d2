namespace Lorikeet.Tensors.Tests;

public sealed class NormOpTests : IDisposable
{
    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void A_row_is_divided_by_its_root_mean_square()
    {
        Tensor x = Numbers.Random(1, 3, 7), weight = Numbers.Random(2, 1, 7);
        foreach (float offset in new[] { 0f, 1f })
        {
            _tape.RmsNorm(x, weight, 0.01f, offset).ShouldBeNear((i, j) =>
                x.At(i, j) / Math.Sqrt(Enumerable.Range(0, 7).Average(p => x.At(i, p) * x.At(i, p)) + 0.01f) * (weight.At(0, j) + offset));
        }
    }

    [Fact]
    public void A_row_gets_mean_zero_and_variance_one()
    {
        Tensor x = Numbers.Random(1, 3, 7), weight = Numbers.Random(2, 1, 7), bias = Numbers.Random(3, 1, 7);
        _tape.LayerNorm(x, weight, bias, 0.01f).ShouldBeNear((i, j) =>
        {
            double mean = Enumerable.Range(0, 7).Average(p => x.At(i, p)), variance = Enumerable.Range(0, 7).Average(p => Math.Pow(x.At(i, p) - mean, 2));
            return (x.At(i, j) - mean) / Math.Sqrt(variance + 0.01f) * weight.At(0, j) + bias.At(0, j);
        });
    }

    [Fact]
    public void Weights_of_another_size_are_refused()
    {
        Tensor x = Numbers.Random(1, 3, 7), wrong = Numbers.Random(2, 1, 8), right = Numbers.Random(2, 1, 7);
        Should.Throw<ArgumentException>(() => _tape.RmsNorm(x, wrong, 1)).Message.ShouldContain("7 f32 numbers");
        Should.Throw<ArgumentException>(() => _tape.LayerNorm(x, wrong, right, 1));
        Should.Throw<ArgumentException>(() => _tape.LayerNorm(x, right, wrong, 1));
        Should.Throw<ArgumentException>(() => _tape.ScaleColumns(x, wrong));
        Should.Throw<ArgumentException>(() => _tape.AddBias(x, wrong));
    }
}
