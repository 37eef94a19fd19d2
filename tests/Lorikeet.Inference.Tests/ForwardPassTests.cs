using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Inference.Tests;

/// <summary>Classifiers against what transformers computes with them (see the NOTE beside the goldens), and what their inputs may be.</summary>
public class ForwardPassTests
{
    private static readonly ForwardOptions Everything = new() { Loss = true, HiddenStates = true, Gradients = true };

    public static TheoryData<string> Models => [.. Directory.GetDirectories(GoldenData.Path("classifiers")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> TextModels => [.. Models.Select(row => row.Data).Where(name => name != "gpt2-tokcls")];

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_loss_hidden_states_and_gradients_agree(string name)
    {
        using Golden golden = new(name);
        using LanguageModel model = ModelLoader.LoadAny(golden.Folder);
        Results results = Run(model, golden.Inputs("in."), Everything);
        results.Shape("logits").ShouldBe(golden.Find("out.logits").Shape);
        bool[] counts = model is TokenClassifier ? golden.Mask : [.. Enumerable.Repeat(true, 2)];
        results.WorstRow("logits", golden.Find("out.logits"), counts).ShouldBeLessThan(1e-4f);
        float loss = Values(golden.Find("out.loss"))[0];
        results.Shape("loss").ShouldBeEmpty();
        results["loss"][0].ShouldBe(loss, 1e-5f * Math.Abs(loss));
        string list = model is { Backbone: Gpt2 } ? "transformer.h" : "model.layers";
        for (int layer = 0; layer <= model.Facts.Layers; layer++)
        {
            float[] expected = Values(golden.Find(layer == 0 ? $"row0.{list}.0.in" : $"row0.{list}.{layer - 1}.out"));
            Worst(results[$"hidden_states.{layer}"][..expected.Length], expected).ShouldBeLessThan(1e-4f, $"hidden_states.{layer}");
        }
        using JsonDocument digests = JsonDocument.Parse(File.ReadAllText(Path.Combine(golden.Folder, "grads.json")));
        results.Names.Where(n => n.StartsWith("grad.", StringComparison.Ordinal)).ShouldBe(digests.RootElement.EnumerateObject().Select(p => "grad." + p.Name), ignoreOrder: true);
        foreach (JsonProperty digest in digests.RootElement.EnumerateObject())
            CheckGradient(digest.Name, results["grad." + digest.Name], [.. digest.Value.EnumerateArray().Select(value => value.GetDouble())]);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_configuration_of_transformers_4_means_the_same(string name)
    {
        using Golden golden = new(name);
        string older = Path.Combine(golden.Folder, "config.v4.json");
        if (!File.Exists(older))
            return;
        using LanguageModel model = ModelLoader.LoadAny(JsonConfig.Load(older), () => TensorFiles.Open(golden.Folder));
        Run(model, golden.Inputs("in."), new()).WorstRow("logits", golden.Find("out.logits"), [true, true]).ShouldBeLessThan(1e-4f);
    }

    [Theory]
    [MemberData(nameof(TextModels))]
    public void Left_padding_and_a_pad_id_within_the_text_change_where_nothing_is_read(string name)
    {
        using Golden golden = new(name);
        using LanguageModel model = ModelLoader.LoadAny(golden.Folder);
        Run(model, golden.Inputs("left.in."), new()).WorstRow("logits", golden.Find("left.out.logits"), [true, true]).ShouldBeLessThan(1e-4f);
    }

    [Theory]
    [MemberData(nameof(TextModels))]
    public void Without_a_mask_the_text_still_ends_by_id(string name)
    {
        using Golden golden = new(name);
        using LanguageModel model = ModelLoader.LoadAny(golden.Folder);
        Dictionary<string, StoredTensor> inputs = golden.Inputs("in.");
        inputs.Remove("attention_mask");
        // causal: what stands on the right of the last token changes nothing
        Run(model, inputs, new()).WorstRow("logits", golden.Find("out.logits"), [true, true]).ShouldBeLessThan(1e-4f);
    }

    [Theory]
    [InlineData("llama-seqcls")]
    [InlineData("gpt2-seqcls")]
    [InlineData("qwen2-seqcls")]
    public void A_place_that_the_mask_leaves_out_is_read_all_the_same_where_its_id_is_the_last(string name)
    {
        using Golden golden = new(name);
        using LanguageModel model = ModelLoader.LoadAny(golden.Folder);
        // columns 2 and 5 are masked; 5 holds the last id that is no padding, and sees 0, 1, 3 and 4
        Dictionary<string, StoredTensor> inputs = new()
        {
            ["input_ids"] = Integers([2, 7], 11, 12, 13, 14, 15, 16, 0, 21, 22, 23, 24, 25, 0, 0),
            ["attention_mask"] = Integers([2, 7], 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1),
            ["labels"] = Integers([2], 1, 2),
        };
        Results results = Run(model, inputs, Everything);
        RaggedBatch batch = new();
        batch.Add([11, 12, 14, 15, 16], [0, 1, 3, 4, 5]);
        batch.Add([21, 22, 23, 24, 25]);
        foreach (AttentionCore core in model.Modules.OfType<AttentionCore>())
            core.Attach(new NaiveAttention(blind: 4));
        using Tape tape = new();
        Step step = new(tape);
        step.Begin(batch);
        Tensor expected = model.Logits(step, tape.SelectRows(model.Hidden(step), step.Copy([4, 9])));
        Worst(results["logits"], expected.Values.ToArray()).ShouldBeLessThan(1e-5f);
        results.Shape("hidden_states.1").ShouldBe([2, 7, 32]);
        results["grad.score.weight"].ShouldContain(value => value != 0);
    }

    [Fact]
    public void A_place_that_sees_nothing_is_refused()
    {
        using LanguageModel model = ModelLoader.LoadAny(GoldenData.Path("classifiers", "llama-seqcls"));
        Dictionary<string, StoredTensor> inputs = new() { ["input_ids"] = Integers([1, 3], 5, 0, 0), ["attention_mask"] = Integers([1, 3], 0, 1, 1) };
        Should.Throw<InputException>(() => Run(model, inputs, new())).Message.ShouldContain("are read at [0, 0]");
    }

    [Fact]
    public void Without_a_padding_id_there_is_one_text_at_a_time()
    {
        using Golden golden = new("llama-seqcls");
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(golden.Folder, "config.json")))!.AsObject();
        config["pad_token_id"] = null;
        using LanguageModel model = ModelLoader.LoadAny(JsonConfig.Parse(config.ToJsonString(), "config.json"), () => TensorFiles.Open(golden.Folder));
        Should.Throw<InputException>(() => Run(model, golden.Inputs("in."), new())).Message.ShouldContain("pad_token_id");
        int[] ids = [.. MemoryMarshal.Cast<byte, long>(golden.Find("in.input_ids").Bytes.Span)[..14].ToArray().Select(id => (int)id)];
        Results one = Run(model, new() { ["input_ids"] = Integers([1, 14], [.. ids.Select(id => (long)id)]) }, new());
        Worst(one["logits"], Values(golden.Find("out.logits"))[..3]).ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void Several_labels_at_once_have_a_loss_too()
    {
        using Golden golden = new("llama-seqcls");
        using LanguageModel model = ModelLoader.LoadAny(golden.Folder);
        Dictionary<string, StoredTensor> inputs = golden.Inputs("in.");
        float[] labels = [0, 1, 1, 1, 0, 0];
        inputs["labels"] = new StoredTensor("labels", DType.F32, [2, 3], Tensor.FromValues(labels, new Shape(2, 3)).Contents);
        Results results = Run(model, inputs, new() { Gradients = true });
        results["loss"][0].ShouldBe((float)labels.Select((label, i) => Math.Log(1 + Math.Exp((label == 1 ? -1 : 1) * results["logits"][i]))).Average(), 1e-5f);
        results["grad.score.weight"].ShouldContain(value => value != 0);
    }

    [Theory]
    [InlineData("llama-seqcls", "labels is [3] I64; [2] was expected", 0, 1, 2)]
    [InlineData("llama-seqcls", "labels holds 3 at [0]; a label below 3", 3, 1)]
    [InlineData("llama-seqcls", "labels holds -1 at [1]", 1, -1)]
    [InlineData("llama-seqcls", "all are -100", -100, -100)]
    [InlineData("llama-reward", "labels is [3]; [2] was expected", 0, 1, 2)]
    [InlineData("gpt2-tokcls", "labels is [2], input_ids is [2, 14]", 0, 1)]
    public void Labels_that_do_not_fit_are_refused(string name, string message, params int[] labels)
    {
        using Golden golden = new(name);
        using LanguageModel model = ModelLoader.LoadAny(golden.Folder);
        Dictionary<string, StoredTensor> inputs = golden.Inputs("in.");
        inputs["labels"] = Integers([labels.Length], [.. labels.Select(label => (long)label)]);
        Should.Throw<InputException>(() => Run(model, inputs, new() { Loss = true })).Message.ShouldContain(message);
        inputs.Remove("labels");
        Should.Throw<InputException>(() => Run(model, inputs, new() { Loss = true })).Message.ShouldContain("need labels");
    }

    [Fact]
    public void A_label_of_a_token_that_the_mask_leaves_out_is_refused()
    {
        using LanguageModel model = ModelLoader.LoadAny(GoldenData.Path("classifiers", "gpt2-tokcls"));
        Dictionary<string, StoredTensor> inputs = new() { ["input_ids"] = Integers([1, 3], 5, 6, 7), ["attention_mask"] = Integers([1, 3], 1, 1, 0), ["labels"] = Integers([1, 3], 4, -100, 2) };
        string message = Should.Throw<InputException>(() => Run(model, inputs, new())).Message;
        message.ShouldContain("labels holds 4 at [0, 0]; a label below 4 was expected");
        message.ShouldContain("labels holds 2 at [0, 2], which attention_mask leaves out");
    }

    private static Results Run(LanguageModel model, Dictionary<string, StoredTensor> inputs, ForwardOptions options)
    {
        using Listed source = new(inputs);
        return new Results(ForwardPass.Run(model, ForwardInputs.Read(source, model), options, model.Parameters));
    }

    private static void CheckGradient(string name, float[] gradient, double[] digest)
    {
        int n = gradient.Length;
        double[] ours =
        [
            Math.Sqrt(gradient.Sum(value => (double)value * value)), gradient.Sum(value => (double)value), gradient.Max(value => Math.Abs((double)value)),
            gradient[0], gradient[n / 3], gradient[n / 2], gradient[n - 1],
        ];
        for (int i = 0; i < digest.Length; i++)
            ours[i].ShouldBe(digest[i], (1e-4 * digest[0] + 1e-7) * (i == 1 ? Math.Sqrt(n) : 1), $"{name}[{i}]");
    }

    private static StoredTensor Integers(long[] shape, params long[] values)
    {
        NativeBuffer buffer = new(values.Length * sizeof(long));
        values.CopyTo(MemoryMarshal.Cast<byte, long>(buffer.Span));
        return new StoredTensor("integers", DType.I64, shape, buffer.Bytes);
    }

    private static float[] Values(StoredTensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span).ToArray();

    private static float Worst(float[] a, float[] b) => a.Zip(b, (x, y) => float.IsFinite(x) ? Math.Abs(x - y) : float.PositiveInfinity).Max();

    /// <summary>Attention in plain loops; one row does not see itself.</summary>
    private sealed class NaiveAttention(int blind) : IAdapter<AttentionCore, AttentionInput>
    {
        public Tensor Forward(AttentionCore place, AttentionInput input, Step step)
        {
            Tensor result = step.Tape.New(input.Query.Shape);
            int dim = place.HeadDim;
            for (int sequence = 0; sequence < step.Batch.Sequences; sequence++)
            {
                for (int row = step.Batch.Start(sequence); row < step.Batch.Start(sequence + 1); row++)
                {
                    int[] keys = [.. Enumerable.Range(step.Batch.Start(sequence), row - step.Batch.Start(sequence) + 1).Where(key => row != blind || key != row)];
                    for (int head = 0; head < place.Heads; head++)
                    {
                        int from = head / (place.Heads / place.KvHeads) * dim;
                        float[] query = input.Query.Row(row).Slice(head * dim, dim).ToArray();
                        double[] shares = [.. keys.Select(key => Math.Exp(place.Scale * query.Select((q, i) => (double)q * input.Key.Row(key)[from + i]).Sum()))];
                        for (int i = 0; i < dim; i++)
                            result.Row(row)[head * dim + i] = (float)(keys.Select((key, j) => shares[j] * input.Value.Row(key)[from + i]).Sum() / shares.Sum());
                    }
                }
            }
            return result;
        }
    }

    private sealed class Results(IReadOnlyList<StoredTensor> tensors)
    {
        public IEnumerable<string> Names => tensors.Select(tensor => tensor.Name);

        public float[] this[string name] => Values(tensors.Single(tensor => tensor.Name == name));

        public IReadOnlyList<long> Shape(string name) => tensors.Single(tensor => tensor.Name == name).Shape;

        public float WorstRow(string name, StoredTensor expected, bool[] rows)
        {
            float[] ours = this[name], theirs = Values(expected);
            int width = (int)expected.Shape[^1];
            return Enumerable.Range(0, rows.Length).Where(row => rows[row]).Max(row => Worst(ours[(row * width)..((row + 1) * width)], theirs[(row * width)..((row + 1) * width)]));
        }
    }

    private sealed class Listed(Dictionary<string, StoredTensor> tensors) : ITensorSource
    {
        public string Description => "inputs";

        public IReadOnlyList<string> Names => [.. tensors.Keys];

        public StoredTensor? Find(string name) => tensors.TryGetValue(name, out StoredTensor? found) ? found with { Name = name } : null;

        public void Dispose() { }
    }

    private sealed class Golden : IDisposable
    {
        private readonly ITensorSource _source;

        public Golden(string name)
        {
            Folder = GoldenData.Path("classifiers", name);
            _source = TensorFiles.Open(Path.Combine(Folder, "io.safetensors"));
        }

        public string Folder { get; }

        public bool[] Mask => [.. MemoryMarshal.Cast<byte, long>(Find("in.attention_mask").Bytes.Span).ToArray().Select(value => value == 1)];

        public StoredTensor Find(string name) => _source.Find(name)!;

        public Dictionary<string, StoredTensor> Inputs(string prefix) =>
            _source.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(name => name[prefix.Length..], Find);

        public void Dispose() => _source.Dispose();
    }
}
