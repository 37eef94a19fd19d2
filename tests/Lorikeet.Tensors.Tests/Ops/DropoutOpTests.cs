namespace Lorikeet.Tensors.Tests;

public sealed class DropoutOpTests : IDisposable
{
    private readonly Tape _tape = new() { Recording = true, Seed = 3 };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void What_stays_is_scaled_up_so_that_the_mean_stays()
    {
        Tensor x = Tensor.Create(new Shape(200, 100));
        x.Values.Fill(2);
        float[] y = _tape.Dropout(x, 0.25f).Values.ToArray();
        y.Distinct().Order().ShouldBe([0, 2 / 0.75f]);
        y.Count(value => value == 0).ShouldBeInRange(4700, 5300);
    }

    [Fact]
    public void Each_call_draws_a_mask_of_its_own_and_the_same_seed_draws_it_again()
    {
        Tensor x = Numbers.Random(1, 10, 10);
        float[] first = _tape.Dropout(x, 0.5f).Values.ToArray(), second = _tape.Dropout(x, 0.5f).Values.ToArray();
        second.ShouldNotBe(first);
        _tape.Counter = 0;
        _tape.Dropout(x, 0.5f).Values.ToArray().ShouldBe(first);
    }

    [Fact]
    public void The_derivative_passes_where_the_value_did()
    {
        Tensor x = Numbers.Trainable(1, 10, 10);
        Tensor y = _tape.Dropout(x, 0.5f);
        float[] values = y.Values.ToArray();
        _tape.GradOf(y, out _)!.Values.Fill(1);
        _tape.BackwardTo(0);
        for (int i = 0; i < 100; i++)
            x.Grad!.Values[i].ShouldBe(values[i] == 0 ? 0 : 2);
    }

    [Fact]
    public void Nothing_dropped_costs_nothing()
    {
        Tensor x = Numbers.Random(1, 2, 2);
        _tape.Dropout(x, 0).ShouldBeSameAs(x);
        _tape.Counter.ShouldBe(0UL);
    }
}
