using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Formats;
using Lorikeet.Inference.Tests;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>Adapters on the command line: <c>forward</c> against PEFT (see the NOTE beside the goldens), <c>generate</c> and <c>chat</c> against the library.</summary>
public sealed class AdapterCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-adapters-").FullName;

    public static TheoryData<string> Cases =>
    [
        .. new[] { "lora", "ia3", "prefix-tuning" }
            .SelectMany(method => Directory.GetDirectories(GoldenData.Path("peft", method)).Select(folder => method + "/" + Path.GetFileName(folder)))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_gives_the_numbers_of_PEFT_live_and_merged(string name)
    {
        JsonNode info = JsonNode.Parse(File.ReadAllText(GoldenData.Path("peft", name, "case.json")))!;
        string io = GoldenData.Path("peft", name, "io.safetensors");
        using ITensorSource golden = TensorFiles.Open(io);
        using (ITensorSource live = Forward(name, info, "--loss", "--gradients"))
        {
            Worst(live, golden, "logits_adapter").ShouldBeLessThan(1e-4f);
            float loss = Values(golden.Find("loss")!)[0];
            Values(live.Find("loss")!)[0].ShouldBe(loss, 1e-5f * (1 + Math.Abs(loss)));
            live.Names.Where(key => key.StartsWith("grad.", StringComparison.Ordinal)).ShouldBe(golden.Names.Where(key => key.StartsWith("grad.", StringComparison.Ordinal)), ignoreOrder: true);
            foreach (string key in golden.Names.Where(key => key.StartsWith("grad.", StringComparison.Ordinal)))
                RelativeError(live.Find(key)!, golden.Find(key)!).ShouldBeLessThan(1e-4, key);
        }
        if (!(bool)info["mergeable"]!)
        {
            Run(name, info, "--merged").Code.ShouldBe(2);
            return;
        }
        using ITensorSource merged = Forward(name, info, "--merged");
        Worst(merged, golden, "logits_merged").ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void Problems_of_all_adapters_are_told_at_once()
    {
        CommandRun run = CommandRun.Of("forward", GoldenData.Path("peft", "bases", "llama"), GoldenData.Path("peft", "bases", "llama", "io.safetensors"), "--out", Path.Combine(_folder, "x"),
            "--adapter", GoldenData.Path("peft", "bad", "wrong-shape", "adapter"), "--adapter", Path.Combine(_folder, "missing"), "--adapter", Path.Combine(_folder, "nofile.gguf"));
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("there is no such adapter folder");
        run.Error.ShouldContain("nofile.gguf: there is no such file");
        run.Error.ShouldContain("was expected");
    }

    [Fact]
    public void Generate_and_chat_use_adapters_and_chat_switches_between_them()
    {
        using TinyModelFolder model = new();
        string first = Adapter(model, 1), second = Adapter(model, 2);
        string bare = Generate(model), one = Generate(model, "--adapter", first), other = Generate(model, "--adapter", second);
        one.ShouldNotBe(bare);
        other.ShouldNotBe(one);

        string Chat(string input, params string[] adapters) => CommandRun.With(input, ["chat", model.Path, "--max-tokens", "8", .. adapters]).Succeeded().Output;
        string[] both = ["--adapter", $"one={first}", "--adapter", $"other={second}"];
        string withOne = Chat("Hi\n", both), withOther = Chat("/adapter other\nHi\n", both), without = Chat("/adapter none\nHi\n", both);
        withOne.ShouldNotBe(withOther);
        without.ShouldBe(Chat("Hi\n"));
        withOther.ShouldBe(Chat("Hi\n", "--adapter", $"x={second}"));
        Chat("Hi\n/reset\n/adapter other\nHi\n/reset\n/adapter one\nHi\n", both).ShouldBe(withOne + withOther + withOne);
        CommandRun third = CommandRun.With("/adapter third\n/adapter\n", ["chat", model.Path, .. both]);
        third.Code.ShouldBe(1, "a script learns of it");
        third.Error.ShouldContain("no adapter is called third; there are one, other, none");
    }

    [Fact]
    public void A_GGUF_file_in_the_other_ones_place_is_told_what_it_is()
    {
        using TinyModelFolder tiny = new();
        string model = Path.Combine(_folder, "model.gguf"), adapter = Path.Combine(_folder, "adapter.gguf");
        CommandRun.Of("quantize", tiny.Path, "--to", "q8_0", "--out", model).Succeeded();
        GgufWriter.Write(adapter, [new("general.architecture", "llama"), new("general.type", "adapter"), new("adapter.type", "lora")], []);

        foreach (string[] command in (string[][])[["generate", adapter, "Once"], ["chat", adapter], ["bench", "decode", "--model", adapter], ["merge", adapter, "--adapter", adapter, "--out", Path.Combine(_folder, "merged")]])
        {
            CommandRun run = CommandRun.Of(command);
            run.Code.ShouldBe(2);
            string told = $"{adapter}: is an adapter for a model of architecture llama (general.type = adapter), and a model was expected; give the model that it was made for, and this file as --adapter\n";
            run.Error.ShouldBe(command[0] == "bench" ? $"--model {told}\nSee `lorikeet bench decode --help`.\n" : $"error: {told}");
        }
        foreach (string[] command in (string[][])[["generate", tiny.Path, "Once", "--adapter", model], ["merge", tiny.Path, "--adapter", model, "--out", Path.Combine(_folder, "merged")]])
        {
            CommandRun run = CommandRun.Of(command);
            run.Code.ShouldBe(2);
            run.Error.ShouldBe($"error: {model}: is a model (general.type = model, and no tensor is an adapter's), and an adapter was expected; give it as the model, and as --adapter a folder or a GGUF file that `lorikeet train` or `lorikeet convert` wrote\n");
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Generate(TinyModelFolder model, params string[] options) => CommandRun.Of(["generate", model.Path, "Once", "--max-tokens", "12", .. options]).Succeeded().Output;

    private string Adapter(TinyModelFolder folder, int seed)
    {
        using CausalLm model = ModelLoader.Load(folder.Path);
        Adapter adapter = AdapterFile.Create(model, PeftRegistry.OfRecipe("lora"), new JsonObject { ["r"] = 4, ["lora_alpha"] = 64, ["target_modules"] = "all-linear" }, seed);
        foreach (Parameter parameter in adapter.Parameters.Where(parameter => parameter.Name.Contains("lora_B", StringComparison.Ordinal)))
        {
            Span<float> values = parameter.Value.Values;
            for (int i = 0; i < values.Length; i++)
                values[i] = ((i * 7 + seed * 13) % 11 - 5) * 0.02f;
        }
        string path = Path.Combine(_folder, $"adapter-{seed}");
        AdapterFile.Save(adapter, path);
        return path;
    }

    private ITensorSource Forward(string name, JsonNode info, params string[] options)
    {
        Run(name, info, options).Succeeded();
        return TensorFiles.Open(Path.Combine(_folder, "out.safetensors"));
    }

    private CommandRun Run(string name, JsonNode info, params string[] options)
    {
        string adapter = GoldenData.Path("peft", name, (string)info["adapter"]!), named = Path.Combine(adapter, (string)info["adapter_name"]!);
        return CommandRun.Of(["forward", GoldenData.Path("peft", (string)info["base"]!), GoldenData.Path("peft", name, "io.safetensors"),
            "--out", Path.Combine(_folder, "out.safetensors"), "--adapter", Directory.Exists(named) ? named : adapter, .. options]);
    }

    private static ReadOnlySpan<float> Values(StoredTensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span);

    // only where the mask is set; all of them where there is one row for each text
    private static float Worst(ITensorSource output, ITensorSource golden, string name)
    {
        ReadOnlySpan<float> actual = Values(output.Find("logits")!), expected = Values(golden.Find(name)!);
        actual.Length.ShouldBe(expected.Length);
        ReadOnlySpan<long> mask = MemoryMarshal.Cast<byte, long>(golden.Find("attention_mask")!.Bytes.Span);
        StoredTensor logits = output.Find("logits")!;
        int columns = (int)logits.Shape[^1];
        float worst = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            if (logits.Shape.Count == 2 || mask[i / columns] == 1)
                worst = Math.Max(worst, Math.Abs(actual[i] - expected[i]));
        }
        return worst;
    }

    private static double RelativeError(StoredTensor actual, StoredTensor expected)
    {
        actual.Shape.ShouldBe(expected.Shape);
        ReadOnlySpan<float> a = Values(actual), b = Values(expected);
        double worst = 0, largest = 0;
        for (int i = 0; i < a.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs(a[i] - b[i]));
            largest = Math.Max(largest, Math.Abs(b[i]));
        }
        return worst / (1e-3 + largest);
    }
}
