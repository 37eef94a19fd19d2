using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>Adapters that PEFT wrote, and what PEFT computes with them.</summary>
public class PeftConformanceTests
{
    public static TheoryData<string> Cases =>
    [
        .. new[] { "lora", "ia3", "prefix-tuning" }
            .SelectMany(method => Directory.GetDirectories(GoldenData.Path("peft", method)).Select(folder => method + "/" + Path.GetFileName(folder)))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_loaded_adapter_computes_what_peft_computes(string name)
    {
        using PeftGolden golden = Open(name, out JsonElement info);
        golden.Difference(golden.Logits(), "logits_base").ShouldBeLessThan(1e-4f);
        Adapter adapter = AdapterFile.Load(golden.Model, FolderOf(name, info), info.GetProperty("adapter_name").GetString()!);
        golden.Difference(golden.Logits(), "logits_base").ShouldBeLessThan(1e-4f, "an adapter that is not attached changes nothing");
        adapter.Attach();
        golden.Difference(golden.Logits(), "logits_adapter").ShouldBeLessThan(1e-4f);
        adapter.Detach();
        golden.Difference(golden.Logits(), "logits_base").ShouldBeLessThan(1e-4f);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merged_weights_compute_the_same_and_unmerging_restores_every_bit(string name)
    {
        using PeftGolden golden = Open(name, out JsonElement info);
        Adapter adapter = AdapterFile.Load(golden.Model, FolderOf(name, info), info.GetProperty("adapter_name").GetString()!);
        if (!info.GetProperty("mergeable").GetBoolean())
        {
            Should.Throw<InputException>(adapter.Merge);
            return;
        }
        float[][] before = [.. golden.Model.Parameters.Select(parameter => parameter.Value.ToSingles())];
        adapter.Merge();
        golden.Difference(golden.Logits(), "logits_merged").ShouldBeLessThan(1e-4f);
        golden.Model.Modules.OfType<Linear>().ShouldAllBe(layer => layer.Adapters.Count == 0);
        adapter.Unmerge();
        golden.Difference(golden.Logits(), "logits_adapter").ShouldBeLessThan(1e-4f);
        adapter.Detach();
        golden.Model.Parameters.Select(parameter => parameter.Value.ToSingles()).ShouldBe(before);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Loss_and_gradients_of_every_trained_tensor_agree(string name)
    {
        using PeftGolden golden = Open(name, out JsonElement info);
        Adapter adapter = AdapterFile.Load(golden.Model, FolderOf(name, info), info.GetProperty("adapter_name").GetString()!);
        adapter.Attach();
        adapter.Train();
        golden.Loss().ShouldBe(golden.Read("loss").Values[0], 1e-5f * (1 + Math.Abs(golden.Read("loss").Values[0])));
        string[] expected = [.. golden.Names.Where(key => key.StartsWith("grad.", StringComparison.Ordinal)).Select(key => key[5..])];
        adapter.Parameters.Select(parameter => parameter.Name).ShouldBe(expected, ignoreOrder: true);
        List<string> wrong = [];
        foreach (Parameter parameter in adapter.Parameters)
        {
            Span<float> ours = parameter.Grad!.Values, theirs = golden.Read("grad." + parameter.Name).Values;
            double largest = 0, worst = 0;
            for (int i = 0; i < ours.Length; i++)
            {
                largest = Math.Max(largest, Math.Abs(theirs[i]));
                worst = Math.Max(worst, Math.Abs(ours[i] - theirs[i]));
            }
            if (worst / (1e-3 + largest) > 1e-4)
                wrong.Add($"{parameter.Name}: off by {worst} of {largest}");
        }
        wrong.ShouldBeEmpty();
        adapter.TrainableCount.ShouldBe(info.GetProperty("trainable_parameters").GetInt64());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_saved_again_is_the_same_file(string name)
    {
        using PeftGolden golden = Open(name, out JsonElement info);
        string source = FolderOf(name, info);
        Adapter adapter = AdapterFile.Load(golden.Model, source, info.GetProperty("adapter_name").GetString()!);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            string saved = Path.Combine(folder.FullName, "adapter");
            AdapterFile.Save(adapter, saved);
            File.ReadAllText(Path.Combine(saved, "adapter_config.json")).ShouldBe(File.ReadAllText(Path.Combine(source, "adapter_config.json")));
            File.ReadAllBytes(Path.Combine(saved, "adapter_model.safetensors")).SequenceEqual(File.ReadAllBytes(Path.Combine(source, "adapter_model.safetensors")))
                .ShouldBeTrue("adapter_model.safetensors");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_fresh_adapter_has_the_same_tensors_and_configuration(string name)
    {
        using PeftGolden golden = Open(name, out JsonElement info);
        string source = FolderOf(name, info);
        JsonObject options = JsonNode.Parse(info.GetProperty("options").GetRawText())!.AsObject();
        JsonConfig expected = JsonConfig.Load(Path.Combine(source, "adapter_config.json"));
        Adapter adapter = AdapterFile.Create(golden.Model, PeftRegistry.OfType(expected.Text("peft_type"), source), options);
        using ITensorSource file = TensorFiles.Open(Path.Combine(source, "adapter_model.safetensors"));
        adapter.Parameters.Select(parameter => (parameter.Name, parameter.Value.Shape.ToString()))
            .Concat(adapter.AlsoSaved.Select(also => (also.Key, also.Value.Value.Shape.ToString())))
            .ShouldBe(file.Names.Select(key => (key, file.Find(key)!.ShapeText)), ignoreOrder: true);
        foreach ((string key, JsonNode? value) in expected.Root)
        {
            if (key is "base_model_name_or_path" or "auto_mapping" || (key == "task_type" && value is null))
                continue;
            Sorted(adapter.Config.Root[key]).ShouldBe(Sorted(value), key);
        }
        adapter.Attach();
        if (options["init_lora_weights"] is null && name.StartsWith("lora/", StringComparison.Ordinal) && !name.Contains("embedding-llama", StringComparison.Ordinal))
            golden.Difference(golden.Logits(), "logits_base").ShouldBeLessThan(1e-4f, "LoRA starts at the base model");
    }

    private static string Sorted(JsonNode? node) => node switch
    {
        JsonArray list => string.Join(",", list.Select(item => item!.ToJsonString()).Order(StringComparer.Ordinal)),
        JsonObject map => string.Join(",", map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key + ":" + Sorted(pair.Value))),
        JsonValue number when number.GetValueKind() == JsonValueKind.Number => double.Parse(number.ToJsonString(), CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
        null => "null",
        _ => node.ToJsonString(),
    };

    private static PeftGolden Open(string name, out JsonElement info)
    {
        string folder = GoldenData.Path("peft", name);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        info = document.RootElement.Clone();
        return new PeftGolden(GoldenData.Path("peft", info.GetProperty("base").GetString()!), Path.Combine(folder, "io.safetensors"));
    }

    private static string FolderOf(string name, JsonElement info)
    {
        string folder = Path.Combine(GoldenData.Path("peft", name), info.GetProperty("adapter").GetString()!);
        string named = Path.Combine(folder, info.GetProperty("adapter_name").GetString()!);
        return Directory.Exists(named) ? named : folder;
    }
}
