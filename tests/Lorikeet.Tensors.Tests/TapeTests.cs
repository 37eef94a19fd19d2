using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed class TapeTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true, Poisons = true };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void Columns_rows_and_other_shapes_are_seen_in_place()
    {
        Tensor whole = Counted(4, 6);
        Tensor columns = _tape.Columns(whole, 2, 3), rows = _tape.RowRange(whole, 1, 2);
        columns.Row(1).ToArray().ShouldBe([8, 9, 10]);
        rows.Values.ToArray().ShouldBe([6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
        _tape.View(whole, new Shape(3, 8)).Row(2).ToArray().ShouldBe([16, 17, 18, 19, 20, 21, 22, 23]);
        _tape.RowRange(columns, 2, 2).Row(1).ToArray().ShouldBe([20, 21, 22]);
        _tape.Columns(rows, 5, 1).Row(1)[0].ShouldBe(17);
        columns.Row(0)[0] = -1;
        whole.Values[2].ShouldBe(-1);
        columns.IsContiguous.ShouldBeFalse();
        rows.IsContiguous.ShouldBeTrue();
    }

    [Fact]
    public void Parts_that_are_not_there_are_refused()
    {
        Tensor whole = Counted(4, 6);
        Should.Throw<ArgumentException>(() => _tape.Columns(whole, 4, 3));
        Should.Throw<ArgumentException>(() => _tape.Columns(whole, -1, 3));
        Should.Throw<ArgumentException>(() => _tape.Columns(whole, 2, int.MaxValue));
        Should.Throw<ArgumentException>(() => _tape.RowRange(whole, 3, 2));
        Should.Throw<ArgumentException>(() => _tape.RowRange(whole, 2, int.MaxValue));
        Should.Throw<ArgumentException>(() => _tape.View(whole, new Shape(5, 5)));
        Should.Throw<ArgumentException>(() => _tape.View(_tape.Columns(whole, 0, 4), new Shape(2, 8))).Message.ShouldContain("[2, 8]");
        Should.Throw<ArgumentException>(() => _tape.Columns(_tape.New(new Shape(2, 64), DType.Q8_0), 0, 32));
    }

    [Fact]
    public void Derivatives_of_parts_land_in_the_whole()
    {
        Tensor whole = Leaf(3, 6);
        Tensor part = _tape.Columns(_tape.RowRange(whole, 1, 2), 2, 3);
        Backward(_tape.Linear(part, Counted(4, 3)), 1);
        // each row of the gradient is the sum of the weight's rows
        whole.Grad!.Values.ToArray().ShouldBe([0, 0, 0, 0, 0, 0, 0, 0, 18, 22, 26, 0, 0, 0, 18, 22, 26, 0]);
    }

    [Fact]
    public void Whoever_asks_is_told_when_the_derivative_has_passed_what_was_noted_since()
    {
        List<string> told = [];
        Tensor first = Leaf(1, 4), second = Leaf(1, 4), third = Leaf(1, 4);
        Tensor x = _tape.Add(Counted(1, 4), first);
        _tape.WhenPassed("later", what => told.Add($"{what}: {first.Grad is not null} {second.Grad is not null} {third.Grad is not null}"));
        x = _tape.Add(x, second);
        _tape.WhenPassed("last", what => told.Add($"{what}: {first.Grad is not null} {second.Grad is not null} {third.Grad is not null}"));
        Backward(_tape.Add(x, third), 1);
        told.ShouldBe(["last: False False True", "later: False True True"]);
    }

    [Fact]
    public void Derivatives_of_overlapping_parts_add_up()
    {
        Tensor whole = Leaf(1, 4);
        Tensor sum = _tape.Add(_tape.Columns(whole, 0, 3), _tape.Columns(whole, 1, 3));
        Backward(_tape.Add(sum, _tape.Columns(whole, 0, 3)), 1);
        whole.Grad!.Values.ToArray().ShouldBe([2, 3, 3, 1]);
    }

    [Fact]
    public void A_part_may_want_a_derivative_where_the_whole_does_not()
    {
        Tensor part = _tape.RowRange(Counted(3, 2), 1, 1);
        part.RequiresGrad = true;
        Backward(_tape.Scale(part, 3), 1);
        part.Grad!.Values.ToArray().ShouldBe([3, 3]);
    }

    [Fact]
    public void A_tensor_outside_the_tape_keeps_its_gradient_from_step_to_step()
    {
        Tensor outside = Tensor.FromValues([1, 2], new Shape(1, 2));
        outside.RequiresGrad = true;
        for (int step = 1; step <= 3; step++)
        {
            Backward(_tape.Scale(outside, 2), 1);
            outside.Grad!.Values.ToArray().ShouldBe([2 * step, 2 * step]);
            _tape.Reset();
        }
    }

    [Fact]
    public void A_derivative_starts_from_one_number()
    {
        Tensor x = Leaf(1, 2);
        Should.Throw<ArgumentException>(() => _tape.Backward(_tape.Scale(x, 2))).Message.ShouldContain("one number");
        Should.Throw<InvalidOperationException>(() => _tape.Backward(_tape.Scale(Counted(1, 1), 2))).Message.ShouldContain("wants a derivative");
    }

    [Fact]
    public void A_loss_may_be_part_of_another_tensor()
    {
        Tensor x = Leaf(1, 3);
        _tape.Backward(_tape.Columns(_tape.Scale(x, 5), 1, 1));
        x.Grad!.Values.ToArray().ShouldBe([0, 5, 0]);
    }

    [Fact]
    public void What_leads_nowhere_is_passed_over()
    {
        Tensor x = Leaf(1, 2);
        _tape.Scale(x, 7);
        Tensor y = _tape.Scale(x, 2);
        _tape.RmsNorm(y, null, 1);
        Backward(y, 1);
        x.Grad!.Values.ToArray().ShouldBe([2, 2]);
    }

    [Fact]
    public void An_op_on_what_is_gone_throws_instead_of_reading_what_came_after()
    {
        using Tape tape = new();
        Tensor x = tape.New(new Shape(2, 3));
        tape.Reset();
        Should.Throw<InvalidOperationException>(() => tape.Add(x, x)).Message.ShouldContain("gone");
    }

    [Fact]
    public void Memory_is_gone_once_the_derivative_has_passed()
    {
        Tensor x = Leaf(1, 2), y = _tape.Scale(x, 2), kept = Tape.Keep(_tape.Scale(y, 2)), part = _tape.Columns(_tape.Scale(kept, 2), 0, 1);
        Tape.Keep(part);
        Backward(_tape.Scale(_tape.Scale(kept, 1), 1), 1);
        Should.Throw<InvalidOperationException>(() => y.Values[0]).Message.ShouldContain("Tape.Keep");
        Should.Throw<InvalidOperationException>(() => y.Row(0)[0]);
        Should.Throw<InvalidOperationException>(() => _tape.RowRange(y, 0, 1).Values[0]);
        kept.Values.ToArray().ShouldBe([0, 4]);
        part.Values.ToArray().ShouldBe([0]);
        _tape.Reset();
        Should.Throw<InvalidOperationException>(() => kept.Values[0]);
    }

    [Fact]
    public void Only_the_result_of_a_piece_and_what_is_kept_outlive_it()
    {
        Tensor before = Counted(2, 2);
        int mark = _tape.Mark();
        Tensor dropped = Counted(2, 2), kept = Tape.Keep(Counted(2, 3)), result = Counted(3, 2), after = Counted(2, 2);
        long used = _tape.UsedBytes;
        _tape.ReleaseTo(mark, result);
        _tape.UsedBytes.ShouldBeLessThan(used);
        Should.Throw<InvalidOperationException>(() => dropped.Values[0]);
        Should.Throw<InvalidOperationException>(() => after.Values[0]);
        before.Values[3].ShouldBe(3);
        kept.Values[5].ShouldBe(5);
        result.Values[5].ShouldBe(5);
        // the freed memory serves again, without touching what was kept
        for (int i = 0; i < 5; i++)
            Counted(2, 2);
        kept.Values[5].ShouldBe(5);
        result.Values[5].ShouldBe(5);
        _tape.Reset();
        _tape.UsedBytes.ShouldBe(0);
    }

    [Fact]
    public void A_result_that_is_part_of_a_tensor_takes_its_memory_over()
    {
        int mark = _tape.Mark();
        Tensor whole = Counted(4, 6), part = _tape.Columns(_tape.RowRange(whole, 1, 2), 2, 3);
        _tape.ReleaseTo(mark, part);
        Counted(4, 6);
        part.Row(1).ToArray().ShouldBe([14, 15, 16]);
        Should.Throw<InvalidOperationException>(() => whole.Values[0]);
        part.RequiresGrad = true;
        Backward(_tape.RmsNorm(part, null, 1), 1);
        part.Grad!.Shape.ShouldBe(part.Shape);
    }

    [Fact]
    public void A_result_that_an_op_made_in_place_keeps_its_memory()
    {
        int mark = _tape.Mark();
        Tensor bias = Leaf(1, 3), y = Counted(2, 3);
        Tensor sum = _tape.AddBias(y, bias);
        sum.ShouldNotBeSameAs(y);
        _tape.ForgetTo(0);
        _tape.ReleaseTo(mark, sum);
        Counted(2, 3);
        sum.Values.ToArray().ShouldBe([0, 2, 4, 3, 5, 7]);
    }

    [Fact]
    public void Freeing_leaves_kept_tensors_alone()
    {
        Tensor kept = Tape.Keep(Counted(2, 2)), other = Counted(2, 2);
        _tape.Free(kept);
        _tape.Free(other);
        kept.Values[3].ShouldBe(3);
        Should.Throw<InvalidOperationException>(() => other.Values[3]);
    }

    [Fact]
    public void No_op_works_in_memory_that_a_derivative_reads_again()
    {
        Tensor x = Leaf(2, 4), weight = Leaf(4, 4);
        Tensor y = _tape.Linear(x, weight);
        _tape.Multiply(y, y);
        Should.Throw<ArgumentException>(() => _tape.AddTo(x, y)).Message.ShouldContain("derivative of an earlier op");
        Should.Throw<ArgumentException>(() => _tape.AddBias(y, Leaf(1, 4)));
        Should.Throw<ArgumentException>(() => _tape.AddBias(_tape.Columns(y, 0, 2), Leaf(1, 2)));
        Tensor z = _tape.Linear(x, weight);
        _tape.AddTo(y, z);
        Tensor seen = _tape.Attention(z, _tape.Linear(x, weight), _tape.Linear(x, weight), OpCases.Integers(_tape, [0, 0]), OpCases.Integers(_tape, [1, 2]), 1, 1, 1);
        Should.Throw<ArgumentException>(() => _tape.AddTo(x, seen));
    }

    [Fact]
    public void No_op_works_in_the_memory_of_a_parameter()
    {
        Tensor parameter = Numbers.Trainable(1, 2, 4);
        Should.Throw<ArgumentException>(() => _tape.AddBias(parameter, Leaf(1, 4))).Message.ShouldContain("trained");
        Should.Throw<ArgumentException>(() => _tape.AddTo(Leaf(1, 4), _tape.RowRange(parameter, 0, 1)));
        _tape.AddTo(parameter, Numbers.Random(2, 2, 4)).RequiresGrad.ShouldBeTrue();
    }

    [Fact]
    public void A_failure_on_the_way_back_leaves_the_tape_usable()
    {
        Tensor x = Leaf(1, 1);
        Tensor y = _tape.Checkpoint(x, new Failing { Tape = _tape }, static (failing, x) => failing.Run(x));
        Should.Throw<FormatException>(() => _tape.Backward(y));
        _tape.Recording.ShouldBeTrue();
        _tape.Reset();
        _tape.UsedBytes.ShouldBe(0);
        x = Leaf(1, 1);
        _tape.Backward(_tape.Scale(x, 3));
        x.Grad!.Values[0].ShouldBe(3);
    }

    [Fact]
    public void The_random_stream_moves_by_whole_blocks_of_four()
    {
        _tape.Draw(1).ShouldBe(0UL);
        _tape.Draw(5).ShouldBe(1UL);
        _tape.Draw(0).ShouldBe(3UL);
        _tape.Counter.ShouldBe(3UL);
    }

    private Tensor Counted(int rows, int columns)
    {
        Tensor tensor = _tape.New(new Shape(rows, columns));
        for (int i = 0; i < rows * columns; i++)
            tensor.Values[i] = i;
        return tensor;
    }

    private Tensor Leaf(int rows, int columns)
    {
        Tensor tensor = Counted(rows, columns);
        tensor.RequiresGrad = true;
        return tensor;
    }

    private void Backward(Tensor output, float gradient)
    {
        _tape.GradOf(output, out _)!.Values.Fill(gradient);
        _tape.BackwardTo(0);
    }

    private sealed class Failing
    {
        private int _runs;

        public required Tape Tape { get; init; }

        public Tensor Run(Tensor x) => _runs++ == 0 ? Tape.Scale(x, 2) : throw new FormatException();
    }
}
