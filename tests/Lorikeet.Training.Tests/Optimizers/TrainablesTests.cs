using Lorikeet.Tensors;

namespace Lorikeet.Training.Tests;

public class TrainablesTests
{
    [Theory]
    [InlineData(0, 1, 0)]
    [InlineData(135_000_003, 1, 135_000_003)]
    [InlineData(int.MaxValue, 1, int.MaxValue)]
    [InlineData(int.MaxValue + 1L, 2048, 1 << 20)]
    [InlineData(7_000_000_001, 6676, 1 << 20)]
    public void Flat_memory_has_room_for_more_numbers_than_a_row(long count, int rows, int columns)
    {
        Shape flat = Trainables.FlatShape(count);
        (flat.Rows, flat.Columns).ShouldBe((rows, columns));
        flat.Elements.ShouldBeGreaterThanOrEqualTo(count);
    }
}
