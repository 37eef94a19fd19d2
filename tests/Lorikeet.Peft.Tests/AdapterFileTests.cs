using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>Adapter folders that must load although they differ from the usual, and folders that must be refused.</summary>
public class AdapterFileTests
{
    // loads in the reference too, without a trace; here nothing is left over silently
    private static readonly string[] Bearable = ["alpha-zero", "target-partly-matches", "modules-to-save-missing-module"];

    // the keys mean nothing to the reference either: it computes with fresh random tensors
    private static readonly string[] Refused = ["keys-without-prefix", "dora-old-key"];

    public static TheoryData<string> Bad => [.. Directory.GetDirectories(GoldenData.Path("peft", "bad")).Select(folder => Path.GetFileName(folder)).Except(Bearable).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Compatible => [.. Directory.GetDirectories(GoldenData.Path("peft", "compat")).Select(folder => Path.GetFileName(folder)).Except(Refused).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_broken_adapter_is_refused_with_a_reason(string name)
    {
        using PeftGolden golden = Open("bad", name, out JsonElement info);
        InputException error = Should.Throw<InputException>(() => AdapterFile.Load(golden.Model, FolderOf("bad", name, info)));
        error.Problems.ShouldNotBeEmpty();
        error.Message.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("target-partly-matches")]
    [InlineData("modules-to-save-missing-module")]
    public void A_name_that_matches_nothing_is_told(string name)
    {
        using PeftGolden golden = Open("bad", name, out JsonElement info);
        AdapterFile.Load(golden.Model, FolderOf("bad", name, info)).Notes.ShouldContain(note => note.Contains("matches no module", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Compatible))]
    public void An_unusual_adapter_loads(string name)
    {
        using PeftGolden golden = Open("compat", name, out JsonElement info);
        Adapter adapter = AdapterFile.Load(golden.Model, FolderOf("compat", name, info));
        adapter.Attach();
        Tensor? expected = Logits(name, info);
        if (expected is null)
            return;
        Tensor logits = golden.Logits();
        float worst = 0;
        int[] rows = golden.Rows;
        for (int i = 0; i < rows.Length; i++)
        {
            for (int j = 0; j < logits.Columns; j++)
                worst = Math.Max(worst, Math.Abs(logits.Row(i)[j] - expected.Row(rows[i])[j]));
        }
        worst.ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void Only_what_is_wrong_is_told()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            string source = GoldenData.Path("peft", "lora", "default-qv-llama", "adapter");
            File.Copy(Path.Combine(source, "adapter_config.json"), Path.Combine(temporary.FullName, "adapter_config.json"));
            using (ITensorSource tensors = Formats.TensorFiles.Open(Path.Combine(source, "adapter_model.safetensors")))
            {
                // the first is missing, the second of another shape, all others are as they should be
                StoredTensor[] all = [.. tensors.Names.Order(StringComparer.Ordinal).Skip(1).Select(name => tensors.Find(name)!)];
                all[0] = all[0] with { Shape = [all[0].Shape[1], all[0].Shape[0]] };
                Formats.SafetensorsWriter.Write(Path.Combine(temporary.FullName, "adapter_model.safetensors"), all.Select(tensor => new Formats.SafetensorsEntry(tensor.Name, tensor.Type, [.. tensor.Shape], tensor.Bytes.CopyTo)), null);
            }
            InputException error = Should.Throw<InputException>(() => AdapterFile.Load(golden.Model, temporary.FullName));
            error.Problems.Count.ShouldBe(2, error.Message);
            error.Problems[0].ShouldEndWith(" is missing");
            error.Problems[1].ShouldContain(" was expected for this model and configuration");
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    [Fact]
    public void No_memory_is_spent_on_what_a_configuration_claims()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            string source = GoldenData.Path("peft", "lora", "default-qv-llama", "adapter"), claims = Path.Combine(temporary.FullName, "adapter_config.json");
            File.Copy(Path.Combine(source, "adapter_model.safetensors"), Path.Combine(temporary.FullName, "adapter_model.safetensors"));
            JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "adapter_config.json")))!.AsObject();
            config["r"] = 2_000_000_000;
            File.WriteAllText(claims, config.ToJsonString());
            InputException error = Should.Throw<InputException>(() => AdapterFile.Load(golden.Model, temporary.FullName));
            error.Problems.Count.ShouldBeGreaterThan(1, "every tensor is named");
            error.Problems[0].ShouldContain("2000000000");
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private static Tensor? Logits(string name, JsonElement info)
    {
        string io = Path.Combine(GoldenData.Path("peft", "compat", name), "io.safetensors");
        if (!File.Exists(io))
            return null;
        ITensorSource source = Formats.TensorFiles.Open(io);
        StoredTensor? stored = source.Find("logits_loaded") ?? source.Find("logits_good");
        return stored is null ? null : Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape));
    }

    private static PeftGolden Open(string kind, string name, out JsonElement info)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(GoldenData.Path("peft", kind, name), "case.json")));
        info = document.RootElement.Clone();
        string baseFolder = GoldenData.Path("peft", info.TryGetProperty("base", out JsonElement named) ? named.GetString()! : "bases/llama");
        return new PeftGolden(baseFolder, Path.Combine(baseFolder, "io.safetensors"));
    }

    private static string FolderOf(string kind, string name, JsonElement info) =>
        Path.Combine(GoldenData.Path("peft", kind, name), info.TryGetProperty("adapter", out JsonElement folder) ? folder.GetString()! : "adapter");
}
