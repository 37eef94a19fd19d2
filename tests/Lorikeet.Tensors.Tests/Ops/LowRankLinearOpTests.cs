namespace Lorikeet.Tensors.Tests;

public sealed class LowRankLinearOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true };

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void It_is_a_linear_layer_and_two_more_products(bool transposed, bool dropped)
    {
        Tensor weight = transposed ? Numbers.Trainable(2, 6, 5) : Numbers.Trainable(2, 5, 6);
        Tensor[] fused = [Numbers.Trainable(1, 4, 6), weight, Numbers.Trainable(3, 2, 6), Numbers.Trainable(4, 5, 2), Numbers.Trainable(5, 1, 5)];
        Tensor[] apart = [.. fused.Select(Copy)];
        float dropout = dropped ? 0.5f : 0;
        Tensor y = _tape.LowRankLinear(fused[0], fused[1], fused[4], transposed, fused[2], fused[3], 0.7f, dropout);
        // the same draws again
        _tape.Counter = 0;
        Tensor below = _tape.Dropout(apart[0], dropout);
        Tensor expected = _tape.Add(_tape.Linear(apart[0], apart[1], apart[4], transposed), _tape.Scale(_tape.Linear(_tape.Linear(below, apart[2]), apart[3]), 0.7f));
        y.ShouldBeNear(expected.At);
        foreach (Tensor output in new[] { y, expected })
            Numbers.Random(9, 4, 5).Values.CopyTo(_tape.GradOf(output, out _)!.Values);
        _tape.BackwardTo(0);
        for (int i = 0; i < fused.Length; i++)
            fused[i].Grad!.ShouldBeNear(apart[i].Grad!.At);
    }

    [Fact]
    public void Dropout_keeps_no_copy_of_the_input()
    {
        Tensor x = Numbers.Trainable(1, 64, 64), weight = Numbers.Random(2, 64, 64), a = Numbers.Trainable(3, 2, 64), b = Numbers.Trainable(4, 64, 2);
        _tape.LowRankLinear(x, weight, null, false, a, b, 1);
        long plain = _tape.UsedBytes;
        _tape.LowRankLinear(x, weight, null, false, a, b, 1, dropout: 0.5f);
        _tape.UsedBytes.ShouldBe(2 * plain);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Tensor x = Numbers.Random(1, 4, 6), weight = Numbers.Random(2, 5, 6), a = Numbers.Random(3, 2, 6), b = Numbers.Random(4, 5, 2);
        Should.Throw<ArgumentException>(() => _tape.LowRankLinear(x, weight, null, false, Numbers.Random(3, 2, 5), b, 1));
        Should.Throw<ArgumentException>(() => _tape.LowRankLinear(x, weight, null, false, a, Numbers.Random(4, 5, 3), 1));
        Should.Throw<ArgumentException>(() => _tape.LowRankLinear(x, weight, null, false, a, Numbers.Random(4, 4, 2), 1)).Message.ShouldContain("4 rows, 5 were expected");
        Should.Throw<ArgumentException>(() => _tape.LowRankLinear(x, weight, null, true, a, b, 1));
        Should.Throw<ArgumentException>(() => _tape.LowRankLinear(_tape.Columns(Numbers.Random(1, 4, 8), 1, 6), weight, null, false, a, b, 1, dropout: 0.5f));
        Should.Throw<ArgumentException>(() => _tape.LowRankLinear(x, weight, Numbers.Random(1, 1, 6), false, a, b, 1));
    }

    private static Tensor Copy(Tensor tensor)
    {
        Tensor copy = tensor.ToF32();
        copy.RequiresGrad = true;
        return copy;
    }
}
