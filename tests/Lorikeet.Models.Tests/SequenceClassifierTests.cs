using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>What transformers computes with such models is compared where whole passes are: in the tests of forward passes and adapters.</summary>
public class SequenceClassifierTests
{
    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    [InlineData("mistral-window")]
    [InlineData("phi3")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("smollm3")]
    public void Every_family_can_carry_the_head(string name)
    {
        string folder = GoldenData.Path("models", name);
        using CausalLm causal = ModelLoader.Load(folder);
        Tensor head = FirstRows(causal.Head.Weight.Value.ToF32(), 3);
        using LanguageModel model = ModelLoader.LoadAny(Config(folder, "XForSequenceClassification", 3), () => new ExtraTensors(TensorFiles.Open(folder), ("score.weight", head)));
        SequenceClassifier classifier = model.ShouldBeOfType<SequenceClassifier>();
        classifier.OutputEmbedding.ShouldBeNull();
        RaggedBatch batch = new();
        batch.Add([5, 6, 7, 8]);
        batch.Add([9, 10]);
        using Tape tape = new();
        Step step = new(tape);
        step.Begin(batch);
        Tensor expected = causal.Logits(step, tape.SelectRows(causal.Hidden(step), step.Copy([3, 5])));
        float[] all = [.. expected.Row(0)[..3], .. expected.Row(1)[..3]];
        step.Begin(batch);
        classifier.PooledRows(batch).ShouldBe([3, 5]);
        Tensor logits = classifier.Logits(step, tape.SelectRows(classifier.Hidden(step), step.Copy(classifier.PooledRows(batch))));
        logits.Shape.ShouldBe(new Shape(2, 3));
        for (int i = 0; i < all.Length; i++)
            logits.Values[i].ShouldBe(all[i], 1e-5f);
    }

    [Fact]
    public void A_text_ends_at_its_last_id_that_is_no_padding()
    {
        using LanguageModel model = ModelLoader.LoadAny(GoldenData.Path("classifiers", "llama-seqcls"));
        SequenceClassifier classifier = model.ShouldBeOfType<SequenceClassifier>();
        classifier.PooledPosition([5, 6, 0, 0]).ShouldBe(1);
        classifier.PooledPosition([5, 0, 6, 7]).ShouldBe(3);
        classifier.PooledPosition([0, 0, 6, 7]).ShouldBe(3);
        classifier.PooledPosition([0, 0, 0]).ShouldBe(0);
        RaggedBatch batch = new();
        batch.Add([5, 6, 0, 0]);
        batch.Add([7]);
        batch.Add([0, 0]);
        classifier.PooledRows(batch).ShouldBe([1, 4, 5]);
    }

    [Fact]
    public void Or_at_its_last_where_the_model_knows_none()
    {
        using SequenceClassifier classifier = Load("llama-seqcls", config => config["pad_token_id"] = null);
        classifier.Config.PadToken.ShouldBeNull();
        classifier.PooledPosition([5, 6, 0, 0]).ShouldBe(3);
    }

    [Theory]
    [InlineData("llama-reward", null, true, ProblemType.Regression)]
    [InlineData("llama-reward", null, false, ProblemType.Regression)]
    [InlineData("llama-seqcls", null, true, ProblemType.SingleLabel)]
    [InlineData("llama-seqcls", null, false, ProblemType.MultiLabel)]
    [InlineData("llama-seqcls", "regression", true, ProblemType.Regression)]
    [InlineData("llama-seqcls", "multi_label_classification", true, ProblemType.MultiLabel)]
    [InlineData("llama-seqcls", "single_label_classification", false, ProblemType.SingleLabel)]
    public void The_kind_of_problem_is_what_the_configuration_says_or_the_labels(string name, string? configured, bool whole, ProblemType expected)
    {
        using SequenceClassifier classifier = Load(name, config => config["problem_type"] = configured);
        classifier.ProblemOf(whole).ShouldBe(expected);
    }

    [Fact]
    public void The_loss_is_that_of_the_kind_of_problem()
    {
        using Tape tape = new();
        Step step = new(tape);
        step.Begin(new RaggedBatch());
        Tensor logits = Tensor.FromValues([1, 2, -1, 0.5f, 0, 1], new Shape(2, 3)), numbers = Tensor.FromValues([1, 0, 1, 0, 0, 1], new Shape(2, 3));
        using SequenceClassifier free = Load("llama-seqcls", _ => { }), regression = Load("llama-seqcls", config => config["problem_type"] = "regression");
        double Share(int row, int column) => Math.Exp(logits.Row(row)[column]) / (Math.Exp(logits.Row(row)[0]) + Math.Exp(logits.Row(row)[1]) + Math.Exp(logits.Row(row)[2]));
        Value(free.Loss(step, logits, step.Copy([1, 2]))).ShouldBe(-(Math.Log(Share(0, 1)) + Math.Log(Share(1, 2))) / 2, 1e-6);
        Value(free.Loss(step, logits, step.Copy([-100, 2]))).ShouldBe(-Math.Log(Share(1, 2)), 1e-6, "a text without a label does not count");
        double squares = 0, binary = 0;
        for (int i = 0; i < 6; i++)
        {
            squares += Math.Pow(logits.Values[i] - numbers.Values[i], 2) / 6;
            binary -= Math.Log(1 / (1 + Math.Exp((numbers.Values[i] == 1 ? -1 : 1) * logits.Values[i]))) / 6;
        }
        Value(regression.Loss(step, logits, numbers)).ShouldBe(squares, 1e-6);
        Value(free.Loss(step, logits, numbers)).ShouldBe(binary, 1e-6);
        Should.Throw<ArgumentException>(() => regression.Loss(step, logits, step.Copy([1, 2])));
    }

    [Fact]
    public void A_head_of_another_size_is_refused()
    {
        InputException error = Should.Throw<InputException>(() => Load("llama-seqcls", config => config["id2label"]!.AsObject().Remove("2")));
        error.Message.ShouldContain("tensor score.weight is [3, 32], the configuration asks for [2, 32]");
    }

    [Fact]
    public void It_is_no_model_that_writes()
    {
        Should.Throw<InputException>(() => ModelLoader.Load(GoldenData.Path("classifiers", "gpt2-seqcls"))).Message
            .ShouldContain("this is a GPT2ForSequenceClassification: it gives each text a number for each label and predicts no next token");
    }

    /// <summary>The configuration of a causal model as that of a classifier.</summary>
    internal static JsonConfig Config(string folder, string architecture, int labels)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
        config["architectures"] = new JsonArray(architecture);
        config["num_labels"] = labels;
        config["pad_token_id"] = 0;
        return JsonConfig.Parse(config.ToJsonString(), "config.json");
    }

    internal static Tensor FirstRows(Tensor matrix, int rows) => Tensor.FromValues(matrix.Values[..(rows * matrix.Columns)], new Shape(rows, matrix.Columns));

    private static SequenceClassifier Load(string name, Action<JsonObject> change)
    {
        string folder = GoldenData.Path("classifiers", name);
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
        change(config);
        return (SequenceClassifier)ModelLoader.LoadAny(JsonConfig.Parse(config.ToJsonString(), "config.json"), () => TensorFiles.Open(folder));
    }

    private static double Value(Tensor loss) => loss.Values[0];
}
