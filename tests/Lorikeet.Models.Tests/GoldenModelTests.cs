using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>Tiny random models and what Hugging Face transformers computes with them (see the NOTE beside the goldens).</summary>
public class GoldenModelTests
{
    public static TheoryData<string> Models => [.. Directory.GetDirectories(GoldenData.Path("models")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_agree_wherever_the_mask_is_set(string name)
    {
        using Golden golden = new(name);
        Tensor expected = golden.Read("out.logits");
        Tensor logits = golden.Run(golden.Model, out int[] rows);
        for (int i = 0; i < rows.Length; i++)
            MaxDifference(logits.Row(i), expected.Row(rows[i])).ShouldBeLessThan(1e-4f, $"row {rows[i]}");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_configuration_of_transformers_4_means_the_same(string name)
    {
        using Golden golden = new(name);
        string older = Path.Combine(golden.Folder, "config.v4.json");
        if (!File.Exists(older))
            return;
        using CausalLm model = ModelLoader.Load(JsonConfig.Load(older), () => TensorFiles.Open(golden.Folder));
        Tensor expected = golden.Read("out.logits");
        Tensor logits = golden.Run(model, out int[] rows);
        for (int i = 0; i < rows.Length; i++)
            MaxDifference(logits.Row(i), expected.Row(rows[i])).ShouldBeLessThan(1e-4f, $"row {rows[i]}");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Hidden_states_agree_layer_by_layer(string name)
    {
        using Golden golden = new(name);
        List<float[]> states = [];
        golden.Step.HiddenStates = (_, x) => states.Add(x.Values.ToArray());
        golden.Run(golden.Model, out _);
        string layers = golden.Source.Names.First(n => n.StartsWith("row0.", StringComparison.Ordinal))[5..].Split(".0.in")[0].Split(".0.out")[0];
        for (int layer = 0; layer < golden.Model.Facts.Layers; layer++)
        {
            Tensor expected = golden.Read($"row0.{layers}.{layer}.out");
            MaxDifference(states[layer + 1].AsSpan(0, (int)expected.Shape.Elements), expected.Values).ShouldBeLessThan(1e-4f, $"after layer {layer}");
        }
        MaxDifference(states[0].AsSpan(0, (int)golden.Read($"row0.{layers}.0.in").Shape.Elements), golden.Read($"row0.{layers}.0.in").Values).ShouldBeLessThan(1e-4f);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Loss_and_every_gradient_agree(string name)
    {
        using Golden golden = new(name);
        golden.Model.SetTrainable(true);
        golden.Step.Tape.Recording = true;
        int[] targets = golden.Begin();
        float loss = golden.Loss(targets);
        loss.ShouldBe(golden.Read("out.loss").Values[0], 1e-5f * Math.Abs(golden.Read("out.loss").Values[0]) + 1e-6f);
        CheckGradients(golden);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen3")]
    [InlineData("phi3")]
    [InlineData("gpt2")]
    public void Checkpointing_changes_no_gradient(string name)
    {
        using Golden golden = new(name);
        golden.Model.SetTrainable(true);
        golden.Step.Tape.Recording = true;
        golden.Step.CheckpointedBlocks = int.MaxValue;
        golden.Loss(golden.Begin());
        CheckGradients(golden);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Greedy_tokens_agree_with_a_cache(string name)
    {
        using Golden golden = new(name);
        int[] prompt = golden.Ids("gen.input_ids"), expected = golden.Ids("gen.new_ids");
        using KvCache cache = new(golden.Model.NewPool());
        RaggedBatch batch = new();
        List<int> made = [];
        ReadOnlySpan<int> next = prompt;
        while (made.Count < expected.Length)
        {
            // a reference quirk: LongRope throws its cache away when the length passes the original context
            if (golden.Model.Backbone is Decoder { Config.Rope: { Kind: RopeScalingKind.LongRope } rope } && cache.Length == rope.OriginalMaxPositions)
            {
                cache.Truncate(0);
                next = (int[])[.. prompt, .. made];
            }
            batch.Clear();
            batch.Add(next, cache.Length);
            golden.Step.Begin(batch, [cache]);
            Tensor hidden = golden.Model.Hidden(golden.Step);
            Tensor logits = golden.Model.Logits(golden.Step, golden.Step.Tape.RowRange(hidden, hidden.Rows - 1, 1));
            made.Add(ArgMax(logits.Row(0)));
            next = new[] { made[^1] };
        }
        made.ShouldBe(expected);
    }

    private static void CheckGradients(Golden golden)
    {
        using JsonDocument digests = JsonDocument.Parse(File.ReadAllText(Path.Combine(golden.Folder, "grads.json")));
        List<string> wrong = [];
        foreach (Parameter parameter in golden.Model.Parameters)
        {
            double[] digest = [.. digests.RootElement.GetProperty(parameter.Name).EnumerateArray().Select(value => value.GetDouble())];
            Span<float> grad = parameter.Grad!.Values;
            double norm = Math.Sqrt(Sum(grad, value => value * value));
            int n = grad.Length;
            double[] ours = [norm, Sum(grad, value => value), Max(grad), grad[0], grad[n / 3], grad[n / 2], grad[n - 1]];
            double tolerance = 1e-4 * digest[0] + 1e-7;
            for (int i = 0; i < digest.Length; i++)
            {
                // a sum of n elements carries the rounding of all of them
                if (Math.Abs(ours[i] - digest[i]) > tolerance * (i == 1 ? Math.Sqrt(n) : 1))
                    wrong.Add($"{parameter.Name}[{i}]: {ours[i]} instead of {digest[i]} (norm {digest[0]})");
            }
        }
        wrong.ShouldBeEmpty();
    }

    private static double Sum(Span<float> values, Func<double, double> of)
    {
        double sum = 0;
        foreach (float value in values)
            sum += of(value);
        return sum;
    }

    private static double Max(Span<float> values)
    {
        double max = 0;
        foreach (float value in values)
            max = Math.Max(max, Math.Abs(value));
        return max;
    }

    private static int ArgMax(Span<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
                best = i;
        }
        return best;
    }

    private static float MaxDifference(Span<float> a, Span<float> b)
    {
        float max = 0;
        for (int i = 0; i < a.Length; i++)
            max = Math.Max(max, Math.Abs(a[i] - b[i]));
        return max;
    }

    private sealed class Golden : IDisposable
    {
        public Golden(string name)
        {
            Folder = GoldenData.Path("models", name);
            Source = TensorFiles.Open(Path.Combine(Folder, "io.safetensors"));
            Model = ModelLoader.Load(Folder);
        }

        public string Folder { get; }

        public ITensorSource Source { get; }

        public CausalLm Model { get; }

        public Step Step { get; } = new(new Tape());

        public Tensor Read(string name)
        {
            StoredTensor stored = Source.Find(name)!;
            return Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape));
        }

        public int[] Ids(string name) => [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(Source.Find(name)!.Bytes.Span).ToArray().Select(id => (int)id)];

        // the rows that the mask keeps, each at its own position, and the target of each
        public int[] Begin()
        {
            int[] ids = Ids("in.input_ids"), mask = Ids("in.attention_mask"), labels = Ids("in.labels");
            int length = (int)Source.Find("in.input_ids")!.Shape[1];
            RaggedBatch batch = new();
            List<int> targets = [];
            for (int row = 0; row < ids.Length / length; row++)
            {
                int[] kept = [.. Enumerable.Range(0, length).Where(i => mask[row * length + i] == 1)];
                batch.Add([.. kept.Select(i => ids[row * length + i])], kept);
                targets.AddRange(kept.Select(i => i + 1 < length ? labels[row * length + i + 1] : -100));
            }
            Step.Begin(batch);
            return [.. targets];
        }

        public Tensor Run(CausalLm model, out int[] rows)
        {
            int[] mask = Ids("in.attention_mask");
            rows = [.. Enumerable.Range(0, mask.Length).Where(i => mask[i] == 1)];
            Begin();
            return model.Logits(Step, model.Hidden(Step));
        }

        public float Loss(int[] targets)
        {
            Tensor hidden = Model.Hidden(Step);
            int count = targets.Count(target => target >= 0);
            Tensor loss = Model.Loss(Step, hidden, Step.Copy(targets), 1f / count);
            Step.Tape.Backward(loss);
            return loss.Values[0];
        }

        public void Dispose()
        {
            Model.Dispose();
            Source.Dispose();
            Step.Tape.Dispose();
        }
    }
}
