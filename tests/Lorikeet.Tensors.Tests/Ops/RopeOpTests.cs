namespace Lorikeet.Tensors.Tests;

public sealed class RopeOpTests : IDisposable
{
    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pairs_turn_by_position_times_frequency(bool interleaved)
    {
        const int heads = 2, headDim = 6, half = 2;
        float[] frequencies = [1, 0.1f];
        int[] positions = [0, 3, 7];
        Tensor x = Numbers.Random(1, 3, heads * headDim), before = x.ToF32();
        (Tensor cos, Tensor sin) = _tape.RopeTables(OpCases.Integers(_tape, positions), frequencies, 1);
        _tape.Rope(x, cos, sin, headDim, interleaved).ShouldBeNear((row, column) =>
        {
            int start = column / headDim * headDim, d = column % headDim;
            if (d >= 2 * half)
                return before.At(row, column);
            int pair = interleaved ? d / 2 : d % half;
            bool upper = interleaved ? d % 2 == 1 : d >= half;
            double angle = positions[row] * (double)frequencies[pair];
            double a = before.At(row, start + (interleaved ? 2 * pair : pair)), b = before.At(row, start + (interleaved ? 2 * pair + 1 : pair + half));
            return upper ? b * Math.Cos(angle) + a * Math.Sin(angle) : a * Math.Cos(angle) - b * Math.Sin(angle);
        });
    }

    [Fact]
    public void Tables_are_multiplied_by_the_attention_factor()
    {
        (Tensor cos, Tensor sin) = _tape.RopeTables(OpCases.Integers(_tape, [0, 5]), [0.2f], 1.5f);
        cos.ShouldBeNear((row, _) => 1.5 * Math.Cos(row * 5 * 0.2f));
        sin.ShouldBeNear((row, _) => 1.5 * Math.Sin(row * 5 * 0.2f));
    }

    [Fact]
    public void Tables_and_heads_that_do_not_fit_are_refused()
    {
        (Tensor cos, Tensor sin) = _tape.RopeTables(OpCases.Integers(_tape, [0, 1, 2]), [1, 0.1f], 1);
        Tensor x = Numbers.Random(1, 3, 12);
        Should.Throw<ArgumentException>(() => _tape.Rope(x, cos, sin, 5));
        Should.Throw<ArgumentException>(() => _tape.Rope(x, cos, sin, 3));
        Should.Throw<ArgumentException>(() => _tape.Rope(x, cos, sin, 0));
        Should.Throw<ArgumentException>(() => _tape.Rope(Numbers.Random(1, 4, 12), cos, sin, 4));
    }
}
