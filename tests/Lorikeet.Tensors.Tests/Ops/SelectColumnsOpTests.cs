namespace Lorikeet.Tensors.Tests;

public sealed class SelectColumnsOpTests : IDisposable
{
    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void Columns_become_rows()
    {
        Tensor x = Numbers.Random(1, 3, 5);
        int[] ids = [4, 0, 4];
        _tape.SelectColumns(x, OpCases.Integers(_tape, ids)).ShouldBeNear((i, j) => x.At(j, ids[i]), 0);
    }

    [Fact]
    public void Columns_that_are_not_there_are_refused()
    {
        Tensor x = Numbers.Random(1, 3, 5);
        foreach (int column in new[] { 5, -1 })
            Should.Throw<ArgumentException>(() => _tape.SelectColumns(x, OpCases.Integers(_tape, [column]))).Message.ShouldContain($"column {column} of");
    }
}
