namespace Lorikeet.Tensors.Tests;

public sealed class RandomOpTests : IDisposable
{
    private readonly Tape _tape = new() { Seed = 8 };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void Numbers_lie_between_the_bounds_or_around_the_mean()
    {
        Tensor uniform = _tape.New(new Shape(100, 100)), normal = _tape.New(uniform.Shape);
        _tape.FillUniform(uniform, -2, 3);
        _tape.FillNormal(normal, 1, 2);
        uniform.Values.ToArray().ShouldAllBe(value => value >= -2 && value < 3);
        ((double)uniform.Values.ToArray().Average()).ShouldBe(0.5, 0.05);
        double mean = normal.Values.ToArray().Average(), deviation = Math.Sqrt(normal.Values.ToArray().Average(value => (value - mean) * (value - mean)));
        mean.ShouldBe(1, 0.08);
        deviation.ShouldBe(2, 0.06);
    }

    [Fact]
    public void A_stream_goes_on_from_call_to_call()
    {
        Tensor whole = _tape.New(new Shape(8)), part = _tape.New(new Shape(4));
        _tape.FillUniform(whole, 0, 1);
        _tape.Counter = 0;
        _tape.FillUniform(part, 0, 1);
        _tape.FillUniform(part, 0, 1);
        part.Values.ToArray().ShouldBe(whole.Values[4..].ToArray());
    }

    [Fact]
    public void Only_tensors_without_gaps_are_filled() =>
        Should.Throw<ArgumentException>(() => _tape.FillUniform(_tape.Columns(_tape.New(new Shape(3, 4)), 0, 2), 0, 1));
}
