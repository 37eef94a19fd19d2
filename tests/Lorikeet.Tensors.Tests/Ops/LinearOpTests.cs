using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed class LinearOpTests : IDisposable
{
    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void A_row_is_the_products_with_the_rows_of_the_weight()
    {
        Tensor x = Numbers.Random(1, 4, 6), weight = Numbers.Random(2, 3, 6), bias = Numbers.Random(3, 1, 3);
        _tape.Linear(x, weight, bias).ShouldBeNear((i, j) => bias.At(0, j) + Enumerable.Range(0, 6).Sum(p => x.At(i, p) * weight.At(j, p)));
    }

    [Fact]
    public void A_transposed_weight_is_read_by_columns()
    {
        Tensor x = Numbers.Random(1, 4, 6), weight = Numbers.Random(2, 6, 3), bias = Numbers.Random(3, 1, 3);
        _tape.Linear(x, weight, bias, transposed: true).ShouldBeNear((i, j) => bias.At(0, j) + Enumerable.Range(0, 6).Sum(p => x.At(i, p) * weight.At(p, j)));
    }

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    [InlineData(DType.Q8_0)]
    public void A_stored_weight_gives_what_its_widened_copy_gives(DType type)
    {
        Tensor x = Numbers.Random(1, 4, 32), weight = Stored.Make(type, new Shape(5, 32), new OpInput("weight", new Shape(5, 32)).Values(2)), wide = weight.ToF32();
        _tape.Linear(x, weight).ShouldBeNear((i, j) => Enumerable.Range(0, 32).Sum(p => x.At(i, p) * wide.At(j, p)));
    }

    [Fact]
    public void Sizes_and_types_that_do_not_fit_are_refused()
    {
        Tensor x = Numbers.Random(1, 4, 6), weight = Numbers.Random(2, 3, 6);
        Should.Throw<ArgumentException>(() => _tape.Linear(x, Numbers.Random(2, 3, 5))).Message.ShouldContain("6 columns, 5 were expected");
        Should.Throw<ArgumentException>(() => _tape.Linear(x, weight, transposed: true));
        Should.Throw<ArgumentException>(() => _tape.Linear(x, weight, Numbers.Random(3, 1, 4))).Message.ShouldContain("3 f32 numbers");
        Should.Throw<ArgumentException>(() => _tape.Linear(Tensor.Create(new Shape(4, 6), DType.BF16), weight)).Message.ShouldContain("not f32");
        Should.Throw<ArgumentException>(() => _tape.Linear(x, Tensor.Create(new Shape(3, 6), DType.C64)));
        Tensor half = Tensor.Create(new Shape(3, 6), DType.BF16);
        half.RequiresGrad = true;
        Should.Throw<ArgumentException>(() => _tape.Linear(x, half));
    }

    [Fact]
    public void No_rows_give_no_rows_and_no_derivative()
    {
        _tape.Recording = true;
        Tensor weight = Numbers.Trainable(2, 3, 6);
        Tensor y = _tape.Linear(_tape.New(new Shape(0, 6)), weight, null);
        y.Shape.ShouldBe(new Shape(0, 3));
        _tape.GradOf(y, out _);
        _tape.BackwardTo(0);
        weight.Grad!.Values.ToArray().ShouldAllBe(value => value == 0);
    }
}
