namespace Lorikeet.Tensors.Tests;

public class ShapeTests
{
    [Fact]
    public void Rows_are_everything_but_the_innermost_size()
    {
        Shape shape = new(2, 3, 4, 5);
        (shape.Rank, shape.Rows, shape.Columns, shape.Elements).ShouldBe((4, 24, 5, 120L));
        (new Shape(7).Rows, new Shape(7).Columns).ShouldBe((1, 7));
        (default(Shape).Rank, default(Shape).Rows, default(Shape).Columns, default(Shape).Elements).ShouldBe((0, 1, 1, 1L));
        (new Shape(0, 5).Rows, new Shape(0, 5).Columns, new Shape(0, 5).Elements).ShouldBe((0, 5, 0L));
    }

    [Fact]
    public void Sizes_are_counted_from_either_end()
    {
        Shape shape = new(2, 3, 4);
        (shape[0], shape[1], shape[-1], shape[-3]).ShouldBe((2, 3, 4, 2));
        Should.Throw<ArgumentOutOfRangeException>(() => shape[3]).Message.ShouldContain("[2, 3, 4]");
        Should.Throw<ArgumentOutOfRangeException>(() => shape[-4]);
    }

    [Fact]
    public void Shapes_are_equal_where_their_sizes_are()
    {
        (new Shape(2, 3) == new Shape(2, 3)).ShouldBeTrue();
        (new Shape(2, 3) != new Shape(3, 2)).ShouldBeTrue();
        new Shape(6).Equals(new Shape(6, 1)).ShouldBeFalse();
        new Shape(2, 3).GetHashCode().ShouldBe(new Shape(2, 3).GetHashCode());
        new Shape(2, 3).ToString().ShouldBe("[2, 3]");
        new Shape(2, 3).ToArray().ShouldBe([2, 3]);
    }

    [Fact]
    public void Sizes_from_a_file_are_checked()
    {
        Shape.From([2, 3]).ShouldBe(new Shape(2, 3));
        Shape.From([]).Elements.ShouldBe(1);
        Should.Throw<ArgumentException>(() => Shape.From([1, 2, 3, 4, 5]));
        Should.Throw<ArgumentException>(() => Shape.From([1L << 31]));
        Should.Throw<ArgumentException>(() => Shape.From([-1]));
    }

    [Fact]
    public void More_elements_than_can_be_counted_are_no_wrapped_number()
    {
        Should.Throw<OverflowException>(() => new Shape(int.MaxValue, int.MaxValue, 8).Elements);
        Should.Throw<OverflowException>(() => new Shape(int.MaxValue, int.MaxValue, 2).Rows);
        new Shape(int.MaxValue, int.MaxValue).Elements.ShouldBe((long)int.MaxValue * int.MaxValue);
    }
}
