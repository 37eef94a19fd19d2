using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>What transformers computes with such models is compared where whole passes are: in the tests of forward passes.</summary>
public class TokenClassifierTests
{
    [Theory]
    [InlineData("gpt2", "classifier")]
    [InlineData("llama", "score")]
    [InlineData("mistral-window", "score")]
    [InlineData("phi3", "score")]
    [InlineData("qwen2", "score")]
    [InlineData("qwen3", "score")]
    [InlineData("smollm3", "score")]
    public void Every_family_can_carry_the_head(string name, string head)
    {
        string folder = GoldenData.Path("models", name);
        using CausalLm causal = ModelLoader.Load(folder);
        Tensor weight = SequenceClassifierTests.FirstRows(causal.Head.Weight.Value.ToF32(), 2), bias = Tensor.FromValues([0.5f, -1], new Shape(2));
        using LanguageModel model = ModelLoader.LoadAny(SequenceClassifierTests.Config(folder, "XForTokenClassification", 2),
            () => new ExtraTensors(TensorFiles.Open(folder), (head + ".weight", weight), (head + ".bias", bias)));
        model.ShouldBeOfType<TokenClassifier>().Config.Labels.ShouldBe(["LABEL_0", "LABEL_1"]);
        RaggedBatch batch = new();
        batch.Add([5, 6, 7]);
        using Tape tape = new();
        Step step = new(tape);
        step.Begin(batch);
        Tensor expected = causal.Logits(step, causal.Hidden(step));
        float[] all = [.. Enumerable.Range(0, 3).SelectMany(row => new[] { expected.Row(row)[0] + 0.5f, expected.Row(row)[1] - 1 })];
        step.Begin(batch);
        Tensor logits = model.Logits(step, model.Hidden(step));
        logits.Shape.ShouldBe(new Shape(3, 2));
        for (int i = 0; i < all.Length; i++)
            logits.Values[i].ShouldBe(all[i], 1e-5f);
    }

    [Fact]
    public void The_loss_is_the_mean_over_tokens_that_have_a_label()
    {
        using Tape tape = new();
        Step step = new(tape);
        step.Begin(new RaggedBatch());
        Tensor logits = Tensor.FromValues([1, 2, 0, 0, 3, 1], new Shape(3, 2));
        double expected = (Math.Log(1 + Math.Exp(-1)) + Math.Log(1 + Math.Exp(2))) / 2;
        ((double)TokenClassifier.Loss(step, logits, step.Copy([1, -100, 1])).Values[0]).ShouldBe(expected, 1e-6);
        TokenClassifier.Loss(step, logits, step.Copy([-100, -100, -100])).Values[0].ShouldBe(0);
    }

    [Fact]
    public void It_is_no_model_that_writes()
    {
        Should.Throw<InputException>(() => ModelLoader.Load(GoldenData.Path("classifiers", "gpt2-tokcls"))).Message
            .ShouldContain("this is a GPT2ForTokenClassification: it gives each token a number for each label");
    }
}
