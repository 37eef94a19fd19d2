namespace Lorikeet.Tensors.Tests;

public sealed class SelectRowsOpTests : IDisposable
{
    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void Negative_numbers_choose_rows_of_the_other_tensor()
    {
        Tensor x = Numbers.Random(1, 4, 3), other = Numbers.Random(2, 2, 3);
        Tensor y = _tape.SelectRows(x, other, OpCases.Integers(_tape, [3, -1, 0, -2, 3]));
        Tensor[] from = [x, other, x, other, x];
        int[] rows = [3, 0, 0, 1, 3];
        y.ShouldBeNear((i, j) => from[i].At(rows[i], j), 0);
    }

    [Fact]
    public void Rows_that_are_not_there_are_refused()
    {
        Tensor x = Numbers.Random(1, 4, 3), other = Numbers.Random(2, 2, 3);
        foreach (int row in new[] { 4, -3, int.MaxValue, int.MinValue })
            Should.Throw<ArgumentException>(() => _tape.SelectRows(x, other, OpCases.Integers(_tape, [row]))).Message.ShouldContain("row selection");
        Should.Throw<ArgumentException>(() => _tape.SelectRows(x, Numbers.Random(2, 2, 4), OpCases.Integers(_tape, [0])));
    }
}
