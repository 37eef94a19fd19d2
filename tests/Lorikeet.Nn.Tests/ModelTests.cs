namespace Lorikeet.Nn.Tests;

public class ModelTests
{
    [Fact]
    public void A_model_names_its_parts_and_what_it_does_not_use()
    {
        ListedTensors source = new ListedTensors().Add("embed.weight", 5, 4).Add("old.inv_freq", 2);
        using Tied model = new(source);
        model.Modules.Count.ShouldBe(2);
        model.Parameters.Select(parameter => parameter.Name).ShouldBe(["embed.weight"]);
        model.UnusedWeights.ShouldBe(["old.inv_freq"]);
        model.Facts.Hidden.ShouldBe(4);
    }

    [Fact]
    public void All_its_weights_are_trained_or_none()
    {
        using Tied model = new(new ListedTensors().Add("embed.weight", 5, 4));
        model.Parameters.ShouldAllBe(parameter => !parameter.Trainable);
        model.SetTrainable(true);
        model.Parameters.ShouldAllBe(parameter => parameter.Trainable);
        model.OutputEmbedding!.Weight.Trainable.ShouldBeTrue("it is tied");
        model.SetTrainable(false);
        model.Parameters.ShouldAllBe(parameter => !parameter.Trainable);
    }

    [Fact]
    public void It_closes_the_file_that_its_weights_lie_in()
    {
        ListedTensors source = new ListedTensors().Add("embed.weight", 5, 4);
        new Tied(source).Dispose();
        source.Disposed.ShouldBeTrue();
    }

    private sealed class Tied : Model
    {
        public Tied(ListedTensors source) : this(new ModelContext(source)) { }

        private Tied(ModelContext context) : base(context, new ModelFacts("tied", 4, 0, 1, 1, 4, 5, 16))
        {
            InputEmbedding = new Embedding(new Weights(context) / "embed", 5, 4);
            OutputEmbedding = new Linear(new Weights(context) / "head", InputEmbedding.Weight, 4, 5);
            context.ThrowIfBroken();
        }

        public override string TaskType => "CAUSAL_LM";

        public override Linear? OutputEmbedding { get; }

        public override Embedding InputEmbedding { get; }
    }
}
