using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed class ElementwiseOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void Sums_products_and_factors_act_element_by_element()
    {
        Tensor a = Numbers.Random(1, 3, 5), b = Numbers.Random(2, 3, 5), factors = Numbers.Random(3, 1, 5);
        _tape.Add(a, b).ShouldBeNear((i, j) => a.At(i, j) + b.At(i, j));
        _tape.Multiply(a, b).ShouldBeNear((i, j) => a.At(i, j) * b.At(i, j));
        _tape.Scale(a, -3).ShouldBeNear((i, j) => -3 * a.At(i, j));
        _tape.ScaleColumns(a, factors).ShouldBeNear((i, j) => a.At(i, j) * factors.At(0, j));
        _tape.Activate(Activation.Silu, a).ShouldBeNear((i, j) => a.At(i, j) / (1 + Math.Exp(-a.At(i, j))));
        _tape.Gated(Activation.Silu, a, b).ShouldBeNear((i, j) => a.At(i, j) / (1 + Math.Exp(-a.At(i, j))) * b.At(i, j));
    }

    [Fact]
    public void A_sum_in_place_uses_the_memory_of_the_second_term()
    {
        Tensor x = Numbers.Trainable(1, 3, 5), y = Numbers.Random(2, 3, 5), before = y.ToF32();
        long used = _tape.UsedBytes;
        Tensor sum = _tape.AddTo(x, y);
        _tape.UsedBytes.ShouldBe(used);
        sum.ShouldBeNear((i, j) => x.At(i, j) + before.At(i, j));
        y.Values.ToArray().ShouldBe(sum.Values.ToArray());
        sum.ShouldNotBeSameAs(y, "its derivative is its own");
    }

    [Fact]
    public void A_bias_is_added_in_place()
    {
        Tensor y = Numbers.Random(2, 3, 5), before = y.ToF32(), bias = Numbers.Random(3, 1, 5);
        _tape.AddBias(y, bias).ShouldBeNear((i, j) => before.At(i, j) + bias.At(0, j));
        _tape.AddBias(y, bias).ShouldBeSameAs(y, "nothing wants a derivative");
    }

    [Fact]
    public void Shapes_and_types_that_differ_are_refused()
    {
        Tensor a = Numbers.Random(1, 3, 5), b = Numbers.Random(2, 5, 3), integers = Tensor.Create(new Shape(3, 5), DType.I32);
        foreach (Tensor other in new[] { b, integers })
        {
            Should.Throw<ArgumentException>(() => _tape.Add(a, other));
            Should.Throw<ArgumentException>(() => _tape.AddTo(a, other));
            Should.Throw<ArgumentException>(() => _tape.AddTo(other, a));
            Should.Throw<ArgumentException>(() => _tape.Multiply(a, other));
            Should.Throw<ArgumentException>(() => _tape.Gated(Activation.Silu, a, other));
        }
        Should.Throw<ArgumentException>(() => _tape.Scale(integers, 1));
        Should.Throw<ArgumentException>(() => _tape.Activate(Activation.Silu, integers));
        Should.Throw<ArgumentException>(() => _tape.Dropout(integers, 0.5f));
    }
}
