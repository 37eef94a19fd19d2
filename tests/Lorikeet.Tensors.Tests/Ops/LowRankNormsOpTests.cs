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
        _tape.Reciprocal(norms).ShouldBeNear((_, o) => 1 / norms.At(0, o));
        weight.ToF32().Values.ToArray().ShouldBe(wide.Values.ToArray(), "the weight stays as it is");
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
