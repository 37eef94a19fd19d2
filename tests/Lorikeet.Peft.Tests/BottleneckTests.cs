using System.Text.Json.Nodes;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>Bottleneck adapters that AdapterHub's library wrote, and what it computes with them.</summary>
public class BottleneckTests
{
    [Theory]
    [InlineData("pfeiffer")]
    [InlineData("houlsby")]
    [InlineData("parallel")]
    public void A_loaded_adapter_computes_what_the_library_computes(string name)
    {
        using PeftGolden golden = Open(name, out string folder);
        Adapter adapter = AdapterFile.Load(golden.Model, folder);
        adapter.Attach();
        golden.Difference(golden.Logits(), "logits").ShouldBeLessThan(1e-4f);
        adapter.MergeObstacle.ShouldNotBeNull();
        adapter.Detach();
    }

    [Theory]
    [InlineData("pfeiffer")]
    [InlineData("houlsby")]
    public void Gradients_of_every_trained_tensor_agree(string name)
    {
        using PeftGolden golden = Open(name, out string folder);
        Adapter adapter = AdapterFile.Load(golden.Model, folder);
        adapter.Attach();
        adapter.Train();
        golden.BackwardWeightedSum("loss_weight");
        adapter.Parameters.Select(parameter => "grad." + parameter.Name).ShouldBe(golden.Names.Where(key => key.StartsWith("grad.", StringComparison.Ordinal)), ignoreOrder: true);
        foreach (Parameter parameter in adapter.Parameters)
        {
            float[] ours = parameter.Grad!.Values.ToArray(), theirs = golden.Read("grad." + parameter.Name).Values.ToArray();
            double largest = theirs.Max(Math.Abs), worst = ours.Zip(theirs).Max(pair => Math.Abs(pair.First - pair.Second));
            (worst / (1e-3 + largest)).ShouldBeLessThan(1e-4, parameter.Name);
        }
    }

    [Theory]
    [InlineData("llama-stack", "a", "b")]
    [InlineData("llama-stack3", "a", "b", "c")]
    public void Several_on_one_place_are_stacked(string name, params string[] adapters)
    {
        string folder = GoldenData.Path("adapterhub", "cases", name), @base = GoldenData.Path("adapterhub", "base-llama");
        using PeftGolden golden = new(@base, Path.Combine(folder, "io.safetensors"), Path.Combine(@base, "io.safetensors"));
        foreach (string adapter in adapters)
            AdapterFile.Load(golden.Model, Path.Combine(folder, adapter)).Attach();
        golden.Difference(golden.Logits(), "logits").ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void A_refused_option_is_one_message_and_not_one_for_every_tensor()
    {
        using PeftGolden golden = Open("pfeiffer", out string folder);
        Should.Throw<InputException>(() => WithConfig(golden, folder, inner => inner["use_gating"] = true)).Problems.ShouldHaveSingleItem().ShouldContain("use_gating");
    }

    [Fact]
    public void A_head_that_came_along_is_never_left_out_silently()
    {
        string folder = GoldenData.Path("adapterhub", "cases", "gpt2-flex-clm", "lm");
        using PeftGolden golden = PeftGolden.OfBase("gpt2");
        string message = Should.Throw<InputException>(() => AdapterFile.Load(golden.Model, folder)).Message;
        message.ShouldContain("head_config.json");
        message.ShouldContain("causal_lm");
    }

    [Fact]
    public void Training_lowers_the_loss_and_touches_nothing_else()
    {
        using PeftGolden golden = Open("pfeiffer", out string folder);
        Adapter adapter = AdapterFile.Load(golden.Model, folder);
        adapter.Attach();
        adapter.Train();
        float before = golden.LossOfNextTokens();
        golden.Model.Parameters.ShouldAllBe(parameter => parameter.Grad == null);
        foreach (Parameter parameter in adapter.Parameters)
        {
            Span<float> values = parameter.Value.Values, grads = parameter.Grad!.Values;
            for (int i = 0; i < values.Length; i++)
                values[i] -= 0.01f * grads[i];
        }
        golden.LossOfNextTokens().ShouldBeLessThan(before);
    }

    [Theory]
    [InlineData("pfeiffer")]
    [InlineData("houlsby")]
    [InlineData("parallel")]
    public void What_is_saved_is_what_the_library_writes(string name)
    {
        using PeftGolden golden = Open(name, out string folder);
        Adapter adapter = AdapterFile.Load(golden.Model, folder);
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            string saved = Path.Combine(temporary.FullName, "adapter"), theirs = Path.Combine(folder, "adapter.safetensors"), ours = Path.Combine(saved, "adapter.safetensors");
            AdapterFile.Save(adapter, saved);
            File.ReadAllText(Path.Combine(saved, "adapter_config.json")).ShouldBe(File.ReadAllText(Path.Combine(folder, "adapter_config.json")));
            // one of the three is a pickle
            if (File.Exists(theirs))
                File.ReadAllBytes(ours).SequenceEqual(File.ReadAllBytes(theirs)).ShouldBeTrue("adapter.safetensors");
            Adapter again = AdapterFile.Load(golden.Model, saved);
            again.Attach();
            golden.Difference(golden.Logits(), "logits").ShouldBeLessThan(1e-4f);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_file_without_a_version_calls_the_approximation_gelu()
    {
        using PeftGolden golden = Open("pfeiffer", out string folder);
        float[] expected = Logits("gelu_new", "adapters.1.3.0");
        Logits("gelu", null).ShouldBe(expected);
        Logits("gelu_orig", null).ShouldBe(Logits("gelu", "adapters.1.3.0"));
        Logits("gelu", "adapters.1.3.0").ShouldNotBe(expected);

        float[] Logits(string activation, string? version)
        {
            Adapter adapter = WithConfig(golden, folder, inner =>
            {
                inner["non_linearity"] = activation;
                if (version is null)
                    inner.Parent!.AsObject().Remove("version");
            });
            adapter.Attach();
            float[] logits = golden.Logits().Values.ToArray();
            adapter.Detach();
            return logits;
        }
    }

    [Theory]
    [InlineData("init_weights", "\"houlsby\"")]
    [InlineData("init_weights_seed", "42")]
    [InlineData("stochastic_depth", "0.1")]
    public void Options_of_new_adapters_that_are_not_implemented_are_refused(string field, string value)
    {
        using PeftGolden golden = Open("pfeiffer", out string folder);
        JsonObject options = new() { [field] = JsonNode.Parse(value) };
        Should.Throw<InputException>(() => AdapterFile.Create(golden.Model, PeftRegistry.OfRecipe("pfeiffer"), options)).Message.ShouldContain(field);
        // what a trained adapter computes does not depend on them
        Adapter adapter = WithConfig(golden, folder, inner => inner[field] = JsonNode.Parse(value));
        adapter.Attach();
        golden.Difference(golden.Logits(), "logits").ShouldBeLessThan(1e-4f);
        adapter.Notes.Count.ShouldBe(field == "stochastic_depth" ? 1 : 0);
    }

    [Fact]
    public void An_adapter_may_start_at_the_base_model()
    {
        using PeftGolden golden = Open("parallel", out _);
        float[] plain = golden.Logits().Values.ToArray();
        AdapterFile.Create(golden.Model, PeftRegistry.OfRecipe("pfeiffer"), new JsonObject { ["init_weights"] = "mam_adapter", ["is_parallel"] = true }).Attach();
        golden.Logits().Values.ToArray().ShouldBe(plain, 1e-6f);
    }

    [Fact]
    public void Keys_that_mean_nothing_here_are_told()
    {
        using PeftGolden golden = Open("pfeiffer", out string folder);
        WithConfig(golden, folder, inner => inner["gravity"] = 9.81).Notes.ShouldContain(note => note.Contains("gravity", StringComparison.Ordinal));
        AdapterFile.Load(golden.Model, folder).Notes.ShouldBeEmpty();
    }

    private static Adapter WithConfig(PeftGolden golden, string folder, Action<JsonObject> change)
    {
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            foreach (string file in Directory.GetFiles(folder))
                File.Copy(file, Path.Combine(temporary.FullName, Path.GetFileName(file)));
            string path = Path.Combine(temporary.FullName, "adapter_config.json");
            JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            change(config["config"]!.AsObject());
            File.WriteAllText(path, config.ToJsonString());
            return AdapterFile.Load(golden.Model, temporary.FullName);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private static PeftGolden Open(string name, out string folder)
    {
        folder = GoldenData.Path("adapterhub", "cases", $"llama-{name}", name);
        return new PeftGolden(GoldenData.Path("adapterhub", "base-llama"), GoldenData.Path("adapterhub", "cases", $"llama-{name}", "io.safetensors"),
            GoldenData.Path("adapterhub", "base-llama", "io.safetensors"));
    }
}
