using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed class EmbeddingOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true };

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.Q8_0)]
    public void Rows_of_any_storage_are_chosen_by_number(DType type)
    {
        Tensor table = Stored.Make(type, new Shape(7, 64), new OpInput("table", new Shape(7, 64)).Values(1)), wide = table.ToF32();
        int[] ids = [6, 0, 3, 3];
        _tape.Embedding(table, OpCases.Integers(_tape, ids)).ShouldBeNear((i, j) => wide.At(ids[i], j), 0);
    }

    [Fact]
    public void Rows_chosen_twice_get_both_derivatives()
    {
        Tensor table = Numbers.Trainable(1, 4, 2);
        Tensor y = _tape.Embedding(table, OpCases.Integers(_tape, [1, 3, 1]));
        new float[] { 1, 2, 3, 4, 5, 6 }.CopyTo(_tape.GradOf(y, out _)!.Values);
        _tape.BackwardTo(0);
        table.Grad!.Values.ToArray().ShouldBe([0, 0, 6, 8, 0, 0, 3, 4]);
    }

    [Fact]
    public void Ids_outside_the_table_are_refused()
    {
        Tensor table = Numbers.Random(1, 4, 2);
        Should.Throw<ArgumentException>(() => _tape.Embedding(table, OpCases.Integers(_tape, [0, 4]))).Message.ShouldContain("token id 4 lies outside the 4 rows");
        Should.Throw<ArgumentException>(() => _tape.Embedding(table, OpCases.Integers(_tape, [-1])));
        Should.Throw<ArgumentException>(() => _tape.Embedding(table, Numbers.Random(1, 1, 2)));
    }
}
