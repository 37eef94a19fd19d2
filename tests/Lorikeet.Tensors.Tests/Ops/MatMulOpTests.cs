namespace Lorikeet.Tensors.Tests;

public sealed class MatMulOpTests : IDisposable
{
    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Either_factor_may_be_stored_with_the_sum_outermost(bool transposeA, bool transposeB)
    {
        Tensor a = transposeA ? Numbers.Random(1, 7, 3) : Numbers.Random(1, 3, 7), b = transposeB ? Numbers.Random(2, 7, 4) : Numbers.Random(2, 4, 7);
        _tape.MatMul(a, b, transposeA, transposeB).ShouldBeNear((i, j) =>
            Enumerable.Range(0, 7).Sum(p => (transposeA ? a.At(p, i) : a.At(i, p)) * (transposeB ? b.At(p, j) : b.At(j, p))));
    }

    [Fact]
    public void Factors_that_share_no_size_are_refused() =>
        Should.Throw<ArgumentException>(() => _tape.MatMul(Numbers.Random(1, 3, 7), Numbers.Random(2, 4, 6))).Message.ShouldContain("share a size");
}
