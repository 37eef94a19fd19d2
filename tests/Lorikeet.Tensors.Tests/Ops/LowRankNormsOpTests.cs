using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed class LowRankNormsOpTests : IDisposable
{
    private readonly Tape _tape = new() { Poisons = true };

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(false, DType.F32)]
    [InlineData(true, DType.F32)]
    [InlineData(false, DType.BF16)]
    public void Each_is_the_norm_of_a_row_of_the_updated_weight(bool transposed, DType type)
    {
        Shape shape = transposed ? new Shape(6, 5) : new Shape(5, 6);
        Tensor weight = Stored.Make(type, shape, new OpInput("weight", shape).Values(1)), wide = weight.ToF32();
        Tensor a = Numbers.Random(2, 2, 6), b = Numbers.Random(3, 5, 2);
        Tensor norms = _tape.LowRankNorms(weight, transposed, a, b, 0.7f);
        norms.ShouldBeNear((_, o) => Math.Sqrt(Enumerable.Range(0, 6).Sum(i =>
            Math.Pow((transposed ? wide.At(i, o) : wide.At(o, i)) + 0.7f * Enumerable.Range(0, 2).Sum(r => b.At(o, r) * a.At(r, i)), 2))));
        Tensor squares = LowRankNormsOp.OutputSquares(weight, transposed), expanded = _tape.LowRankNorms(weight, transposed, a, b, 0.7f, squares);
        squares.ShouldBeNear((_, o) => Enumerable.Range(0, 6).Sum(i => Math.Pow(transposed ? wide.At(i, o) : wide.At(o, i), 2)));
        expanded.ShouldBeNear((_, o) => norms.At(0, o));
        _tape.Reciprocal(norms).ShouldBeNear((_, o) => 1 / norms.At(0, o));
        weight.ToSingles().ShouldBe(wide.Values.ToArray(), "the weight stays as it is");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_update_that_all_but_cancels_the_weight_keeps_its_digits(bool transposed)
    {
        Tensor a = Numbers.Random(2, 2, 6), b = Numbers.Random(3, 5, 2), weight = Tensor.Create(transposed ? new Shape(6, 5) : new Shape(5, 6));
        for (int o = 0; o < 5; o++)
        {
            for (int i = 0; i < 6; i++)
                weight.Row(transposed ? i : o)[transposed ? o : i] = (float)(-0.9999 * (b.At(o, 0) * a.At(0, i) + b.At(o, 1) * a.At(1, i)));
        }
        Tensor whole = _tape.LowRankNorms(weight, transposed, a, b, 1), expanded = _tape.LowRankNorms(weight, transposed, a, b, 1, LowRankNormsOp.OutputSquares(weight, transposed));
        expanded.Values.ToArray().ShouldBe(whole.Values.ToArray());
    }

    [Fact]
    public void With_the_squares_of_the_weight_no_second_weight_is_made()
    {
        Tensor weight = Numbers.Random(1, 256, 256), squares = LowRankNormsOp.OutputSquares(weight, false);
        using Tape tape = new();
        tape.LowRankNorms(weight, false, Numbers.Random(2, 4, 256), Numbers.Random(3, 256, 4), 1, squares);
        tape.PeakBytes.ShouldBeLessThan(weight.Bytes / 4);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Tensor weight = Numbers.Random(1, 5, 6), a = Numbers.Random(2, 2, 6), b = Numbers.Random(3, 5, 2);
        Should.Throw<ArgumentException>(() => _tape.LowRankNorms(weight, true, a, b, 1));
        Should.Throw<ArgumentException>(() => _tape.LowRankNorms(weight, false, a, Numbers.Random(3, 5, 3), 1));
        Should.Throw<ArgumentException>(() => _tape.LowRankNorms(weight, false, a, Numbers.Random(3, 4, 2), 1));
        Should.Throw<ArgumentException>(() => _tape.Reciprocal(Numbers.Trainable(1, 1, 3)));
    }
}
