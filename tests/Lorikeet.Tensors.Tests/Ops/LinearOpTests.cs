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

    [Theory]
    [InlineData(DType.F32, GemmPrecision.Single)]
    [InlineData(DType.Q4_0, GemmPrecision.Single)]
    [InlineData(DType.Q4_0, GemmPrecision.Int8)]
    [InlineData(DType.Q8_0, GemmPrecision.Int8)]
    public void Layers_of_the_same_input_may_run_together(DType type, GemmPrecision precision)
    {
        _tape.Precision = precision;
        Tensor x = Numbers.Random(1, 3, 64), bias = Numbers.Random(3, 1, 40);
        Tensor first = Stored.Make(type, new Shape(40, 64), new OpInput("weight", new Shape(40, 64)).Values(2));
        Tensor second = Stored.Make(type, new Shape(7, 64), new OpInput("weight", new Shape(7, 64)).Values(5));
        Tensor[] outputs = new Tensor[2];
        _tape.LinearTogether(x, [(first, bias), (second, null)], outputs);
        Tensor one = _tape.Linear(x, first, bias), two = _tape.Linear(x, second);
        outputs[0].ShouldBeNear((i, j) => one.At(i, j));
        outputs[1].ShouldBeNear((i, j) => two.At(i, j));
        _tape.Recording = true;
        Should.Throw<InvalidOperationException>(() => _tape.LinearTogether(x, [(first, bias), (second, null)], outputs)).Message.ShouldContain("no derivatives");
    }

    [Theory]
    [InlineData(GemmPrecision.Single)]
    [InlineData(GemmPrecision.Int8)]
    public void As_many_layers_run_together_as_there_is_room_for_and_none_do_nothing(GemmPrecision precision)
    {
        _tape.Precision = precision;
        Tensor x = Numbers.Random(1, 3, 64), weight = Numbers.Random(2, 5, 64);
        (Tensor, Tensor?)[] layers = [.. Enumerable.Repeat((weight, (Tensor?)null), LinearOp.MostTogether + 1)];
        Should.Throw<ArgumentOutOfRangeException>(() => _tape.LinearTogether(x, layers, new Tensor[layers.Length]));
        _tape.LinearTogether(x, [], []);
    }

    [Fact]
    public void An_update_that_is_zero_changes_nothing_where_stored_codes_are_multiplied()
    {
        _tape.Precision = GemmPrecision.Int8;
        Tensor x = Numbers.Random(1, 3, 64), weight = Stored.Make(DType.Q4_0, new Shape(40, 64), new OpInput("weight", new Shape(40, 64)).Values(2));
        Tensor plain = _tape.Linear(x, weight);
        Tensor adapted = _tape.LowRankLinear(x, weight, null, false, Numbers.Random(4, 2, 64), Tensor.Create(new Shape(40, 2)), 2);
        adapted.ShouldBeNear((i, j) => plain.At(i, j));
    }

    [Fact]
    public void Weights_that_are_written_again_are_interleaved_again()
    {
        _tape.Precision = GemmPrecision.Int8;
        Tensor x = Numbers.Random(1, 1, 64), weight = Stored.Make(DType.Q8_0, new Shape(40, 64), new OpInput("weight", new Shape(40, 64)).Values(2));
        Tensor other = Stored.Make(DType.Q8_0, new Shape(40, 64), new OpInput("weight", new Shape(40, 64)).Values(9));
        _tape.Linear(x, weight);
        weight.CopyFrom(other);
        Tensor expected = _tape.Linear(x, other);
        _tape.Linear(x, weight).ShouldBeNear((i, j) => expected.At(i, j));
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
