using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

public sealed class PlaceTests : IDisposable
{
    private readonly Tape _tape = new();
    private readonly Step _step;
    private readonly ResidualStream _place = new(new Weights(new ModelContext(new ListedTensors())) / "model", 3, 1);

    public PlaceTests()
    {
        _step = new Step(_tape);
        _step.Begin(new RaggedBatch());
    }

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void Without_adapters_a_place_is_plain()
    {
        Value(_place, 5).ShouldBe(5);
        _place.Adapters.ShouldBeEmpty();
        (_place.Path, _place.ToString(), _place.Position).ShouldBe(("model", "ResidualStream model", StreamPosition.Block));
    }

    [Fact]
    public void The_last_adapter_acts_on_what_the_earlier_ones_make()
    {
        Affine twice = new(2, 0), plusOne = new(1, 1), thrice = new(3, 0);
        foreach (Affine adapter in new[] { twice, plusOne, thrice })
            _place.Attach(adapter);
        Value(_place, 5).ShouldBe((5 * 2 + 1) * 3);
        _place.Adapters.ShouldBe([twice, plusOne, thrice]);
        _place.IsInnermost(twice).ShouldBeTrue();
        _place.IsInnermost(plusOne).ShouldBeFalse();

        _place.Detach(plusOne);
        Value(_place, 5).ShouldBe(30);
        _place.Detach(twice);
        _place.IsInnermost(thrice).ShouldBeTrue();
        Value(_place, 5).ShouldBe(15);
        _place.Detach(plusOne);
        _place.Detach(thrice);
        Value(_place, 5).ShouldBe(5);
        _place.IsInnermost(thrice).ShouldBeFalse();
    }

    [Fact]
    public void An_adapter_may_leave_out_what_lies_beneath_or_ask_twice()
    {
        _place.Attach(new Affine(2, 0));
        _place.Attach(new Squared());
        Value(_place, 5).ShouldBe(10 * 10);
        _place.Attach(new Deaf());
        Value(_place, 5).ShouldBe(-1);
    }

    [Fact]
    public void An_adapter_that_another_one_runs_stands_on_the_plain_computation()
    {
        _place.Attach(new Affine(2, 0));
        Affine apart = new(3, 0);
        apart.Forward(_place, One(5), _step).Values[0].ShouldBe(15);
    }

    [Fact]
    public void An_adapter_stands_on_a_place_once()
    {
        Affine adapter = new(2, 0);
        _place.Attach(adapter);
        Should.Throw<InvalidOperationException>(() => _place.Attach(adapter)).Message.ShouldContain("ResidualStream model");
        _place.Detach(adapter);
        _place.Attach(adapter);
        Value(_place, 5).ShouldBe(10);
    }

    [Fact]
    public void A_place_without_adapters_allocates_nothing_and_neither_does_one_with_them()
    {
        _place.Attach(new Affine(2, 1));
        _place.Attach(new Affine(2, 1));
        Tensor x = One(1);
        Pass();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Pass();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        void Pass()
        {
            int mark = _tape.Mark();
            _place.Plain(x, _step);
            _place.Forward(x, _step);
            _tape.ReleaseTo(mark);
        }
    }

    private float Value(ResidualStream place, float x) => place.Forward(One(x), _step).Values[0];

    private static Tensor One(float x) => Tensor.FromValues([x], new Shape(1, 1));

    private sealed class Affine(float factor, float addend) : IAdapter<ResidualStream, Tensor>
    {
        private readonly Tensor _addend = One(addend);

        public Tensor Forward(ResidualStream place, Tensor input, Step step) =>
            step.Tape.AddTo(_addend, step.Tape.Scale(place.Beneath(this, input, step), factor));
    }

    private sealed class Squared : IAdapter<ResidualStream, Tensor>
    {
        public Tensor Forward(ResidualStream place, Tensor input, Step step) =>
            step.Tape.Multiply(place.Beneath(this, input, step), place.Beneath(this, input, step));
    }

    private sealed class Deaf : IAdapter<ResidualStream, Tensor>
    {
        public Tensor Forward(ResidualStream place, Tensor input, Step step) => One(-1);
    }
}
