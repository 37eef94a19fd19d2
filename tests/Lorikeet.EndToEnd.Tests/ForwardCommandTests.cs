using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Cli.Tests;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet forward</c> against what transformers computes on tiny models (see the NOTE beside the goldens).</summary>
public sealed class ForwardCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-forward-").FullName;

    public static TheoryData<string> Models => [.. Directory.GetDirectories(GoldenData.Path("models")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Everything_that_is_asked_for_agrees(string name)
    {
        string folder = GoldenData.Path("models", name);
        using ITensorSource golden = TensorFiles.Open(Path.Combine(folder, "io.safetensors"));
        using ITensorSource output = Forward(folder, golden, "--loss", "--hidden-states", "--gradients");
        bool[] kept = [.. MemoryMarshal.Cast<byte, long>(golden.Find("in.attention_mask")!.Bytes.Span).ToArray().Select(value => value == 1)];
        StoredTensor expected = golden.Find("out.logits")!, logits = output.Find("logits")!;
        logits.Shape.ShouldBe(expected.Shape);
        WorstRow(logits, expected, kept).ShouldBeLessThan(1e-4f);
        for (int row = 0; row < kept.Length; row++)
            Row(logits, row).ContainsAnyExcept(0f).ShouldBe(kept[row], $"row {row}: padding is zero");

        float loss = Values(golden.Find("out.loss")!)[0];
        output.Find("loss")!.Shape.ShouldBeEmpty();
        Values(output.Find("loss")!)[0].ShouldBe(loss, 1e-5f * Math.Abs(loss) + 1e-6f);

        string list = golden.Names.First(n => n.StartsWith("row0.", StringComparison.Ordinal))[5..].Split(".0.in")[0].Split(".0.out")[0];
        int layers = golden.Names.Count(n => n.StartsWith($"row0.{list}.", StringComparison.Ordinal) && n.EndsWith(".out", StringComparison.Ordinal));
        for (int layer = 0; layer <= layers; layer++)
        {
            ReadOnlySpan<float> state = Values(golden.Find(layer == 0 ? $"row0.{list}.0.in" : $"row0.{list}.{layer - 1}.out")!);
            Worst(Values(output.Find($"hidden_states.{layer}")!)[..state.Length], state).ShouldBeLessThan(1e-4f, $"hidden_states.{layer}");
        }
        output.Find("last_hidden_state")!.Shape.ShouldBe(output.Find("hidden_states.0")!.Shape);
        CheckGradients(folder, output);
    }

    [Fact]
    public void Without_a_mask_every_token_counts_and_only_logits_are_written()
    {
        string folder = GoldenData.Path("models", "llama");
        using ITensorSource golden = TensorFiles.Open(Path.Combine(folder, "io.safetensors"));
        using ITensorSource output = Forward(folder, new Dictionary<string, StoredTensor> { ["input_ids"] = golden.Find("in.input_ids")! });
        output.Names.ShouldBe(["logits"]);
        // the first row has no padding, so it is the same with and without a mask
        int length = (int)golden.Find("in.input_ids")!.Shape[1];
        for (int row = 0; row < length; row++)
            Worst(Row(output.Find("logits")!, row), Row(golden.Find("out.logits")!, row)).ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void Every_problem_of_the_inputs_is_told_at_once()
    {
        StoredTensor ids = Integers("input_ids", [2, 3], 1, 2, 3, 4, 999999, 6), mask = Integers("attention_mask", [2, 2], 1, 1, 1, 1), labels = Integers("labels", [2, 3], 1, 2, -5, 4, 5, 6);
        CommandRun run = Run(GoldenData.Path("models", "llama"), new Dictionary<string, StoredTensor> { ["input_ids"] = ids, ["attention_mask"] = mask, ["labels"] = labels }, "--loss");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("input_ids holds 999999 at [1, 1]");
        run.Error.ShouldContain("attention_mask is [2, 2]");
        run.Error.ShouldContain("labels holds -5 at [0, 2]");
        File.Exists(Path.Combine(_folder, "out.safetensors")).ShouldBeFalse();
    }

    [Fact]
    public void A_loss_without_labels_is_refused()
    {
        CommandRun run = Run(GoldenData.Path("models", "llama"), new Dictionary<string, StoredTensor> { ["input_ids"] = Integers("input_ids", [1, 3], 1, 2, 3) }, "--loss");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("labels");
    }

    [Fact]
    public void Merging_nothing_is_wrong_use()
    {
        CommandRun run = CommandRun.Of("forward", "random:tiny", "x.safetensors", "--out", Path.Combine(_folder, "out.safetensors"), "--merged");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("--merged: there is nothing to merge without --adapter");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ITensorSource Forward(string model, ITensorSource golden, params string[] options)
    {
        Dictionary<string, StoredTensor> inputs = golden.Names.Where(name => name.StartsWith("in.", StringComparison.Ordinal)).ToDictionary(name => name[3..], name => golden.Find(name)!);
        return Forward(model, inputs, options);
    }

    private ITensorSource Forward(string model, Dictionary<string, StoredTensor> inputs, params string[] options)
    {
        Run(model, inputs, options).Succeeded();
        return TensorFiles.Open(Path.Combine(_folder, "out.safetensors"));
    }

    private CommandRun Run(string model, Dictionary<string, StoredTensor> inputs, params string[] options)
    {
        string file = Path.Combine(_folder, "inputs.safetensors");
        SafetensorsWriter.Write(file, inputs.Select(input => new SafetensorsEntry(input.Key, input.Value)), null);
        return CommandRun.Of(["forward", model, file, "--out", Path.Combine(_folder, "out.safetensors"), .. options]);
    }

    private static StoredTensor Integers(string name, long[] shape, params long[] values)
    {
        NativeBuffer buffer = new(values.Length * sizeof(long));
        values.CopyTo(MemoryMarshal.Cast<byte, long>(buffer.Span));
        return new StoredTensor(name, DType.I64, shape, buffer.Bytes);
    }

    private static void CheckGradients(string folder, ITensorSource output)
    {
        using JsonDocument digests = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "grads.json")));
        List<string> wrong = [];
        foreach (JsonProperty digest in digests.RootElement.EnumerateObject())
        {
            ReadOnlySpan<float> gradient = Values(output.Find($"grad.{digest.Name}")!);
            double norm = digest.Value[0].GetDouble(), sum = 0;
            foreach (float value in gradient)
                sum += (double)value * value;
            if (Math.Abs(Math.Sqrt(sum) - norm) > 1e-4 * norm + 1e-7)
                wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{digest.Name}: norm {Math.Sqrt(sum)} instead of {norm}"));
            if (Math.Abs(gradient[^1] - digest.Value[6].GetDouble()) > 1e-4 * norm + 1e-7)
                wrong.Add($"{digest.Name}: last element");
        }
        wrong.ShouldBeEmpty();
        output.Names.Count(name => name.StartsWith("grad.", StringComparison.Ordinal)).ShouldBe(digests.RootElement.EnumerateObject().Count());
    }

    private static ReadOnlySpan<float> Values(StoredTensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span);

    private static ReadOnlySpan<float> Row(StoredTensor tensor, int row) => Values(tensor).Slice(row * (int)tensor.Shape[^1], (int)tensor.Shape[^1]);

    private static float WorstRow(StoredTensor actual, StoredTensor expected, bool[] kept)
    {
        float worst = 0;
        for (int row = 0; row < kept.Length; row++)
        {
            if (kept[row])
                worst = Math.Max(worst, Worst(Row(actual, row), Row(expected, row)));
        }
        return worst;
    }

    private static float Worst(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float worst = 0;
        for (int i = 0; i < a.Length; i++)
            worst = Math.Max(worst, Math.Abs(a[i] - b[i]));
        return worst;
    }
}
