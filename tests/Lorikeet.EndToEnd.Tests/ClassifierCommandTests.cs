using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Formats;
using Lorikeet.Inference.Tests;
using Lorikeet.Tensors;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>Commands on models that label texts or tokens: what they compute, and what those say that need a model that writes.</summary>
public sealed class ClassifierCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-classifier-").FullName;

    private static string Texts => GoldenData.Path("peft", "bases", "llama-cls");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("llama-seqcls")]
    [InlineData("llama-reward")]
    [InlineData("gpt2-seqcls")]
    [InlineData("gpt2-tokcls")]
    [InlineData("qwen2-seqcls")]
    public void Forward_writes_logits_and_loss(string name)
    {
        string model = GoldenData.Path("classifiers", name);
        using ITensorSource golden = TensorFiles.Open(Path.Combine(model, "io.safetensors"));
        string inputs = Path.Combine(_folder, "inputs.safetensors");
        SafetensorsWriter.Write(inputs, golden.Names.Where(key => key.StartsWith("in.", StringComparison.Ordinal)).Select(key => new SafetensorsEntry(key[3..], golden.Find(key)!)), null);
        using ITensorSource output = Forward(model, inputs, "--loss", "--gradients");
        output.Find("logits")!.Shape.ShouldBe(golden.Find("out.logits")!.Shape);
        float loss = Values(golden.Find("out.loss")!)[0];
        Values(output.Find("loss")!)[0].ShouldBe(loss, 1e-5f * loss);
        output.Find(name == "gpt2-tokcls" ? "grad.classifier.bias" : "grad.score.weight").ShouldNotBeNull();
    }

    [Fact]
    public void Merge_takes_the_trained_head_along()
    {
        string golden = GoldenData.Path("peft", "lora", "task-seqcls-llama"), merged = Path.Combine(_folder, "merged");
        CommandRun.Of("merge", Texts, "--adapter", Path.Combine(golden, "adapter"), "--out", merged).Succeeded();
        using ITensorSource expected = TensorFiles.Open(Path.Combine(golden, "io.safetensors")), output = Forward(merged, Path.Combine(golden, "io.safetensors"));
        ReadOnlySpan<float> ours = Values(output.Find("logits")!), theirs = Values(expected.Find("logits_merged")!);
        ours.Length.ShouldBe(theirs.Length);
        for (int i = 0; i < ours.Length; i++)
            ours[i].ShouldBe(theirs[i], 2e-5f);
    }

    [Fact]
    public void Inspect_names_the_labels() =>
        CommandRun.Of("inspect", GoldenData.Path("classifiers", "gpt2-tokcls")).Succeeded().Output.ShouldContain("LABEL_3");

    [Theory]
    [InlineData("generate", "{0}", "Once")]
    [InlineData("chat", "{0}")]
    [InlineData("bench", "decode", "--model", "{0}")]
    [InlineData("train", "{1}")]
    public void Commands_that_need_a_model_that_writes_say_what_this_one_is(params string[] command)
    {
        using TinyModelFolder model = new();
        JsonObject config = JsonNode.Parse(File.ReadAllText(model.File("config.json")))!.AsObject();
        config["architectures"] = new JsonArray("LlamaForSequenceClassification");
        model.Write("config.json", config.ToJsonString());
        model.Write("rows.jsonl", """{"text": "Once upon a time"}""");
        model.Write("recipe.yaml", $"model:\n  path: {model.Path}\ndata:\n  train: {model.File("rows.jsonl")}\noutput: {model.File("out")}\n");
        CommandRun run = CommandRun.Of([.. command.Select(part => part.Replace("{0}", model.Path, StringComparison.Ordinal).Replace("{1}", model.File("recipe.yaml"), StringComparison.Ordinal))]);
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("this is a LlamaForSequenceClassification: it gives each text a number for each label and predicts no next token");
        run.Error.ShouldContain("lorikeet forward");
    }

    private ITensorSource Forward(string model, string inputs, params string[] options)
    {
        string output = Path.Combine(_folder, "out.safetensors");
        CommandRun.Of(["forward", model, inputs, "--out", output, .. options]).Succeeded();
        return TensorFiles.Open(output);
    }

    private static ReadOnlySpan<float> Values(StoredTensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span);
}
