using System.Text.Json.Nodes;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>Adapters that become part of the weights, and leave them again.</summary>
public class MergeTests
{
    [Theory]
    [InlineData("lora", "lm_head")]
    [InlineData("lora", "embed_tokens")]
    [InlineData("dora", "lm_head")]
    [InlineData("ia3", "lm_head")]
    public void A_weight_that_the_base_uses_twice_is_not_merged_into(string method, string target)
    {
        using PeftGolden golden = PeftGolden.OfBase("qwen2");
        golden.Model.OutputEmbedding!.Weight.ShouldBe(golden.Model.InputEmbedding.Weight, "the case is about a tied head");
        Adapter adapter = Make(golden, method, target);
        string obstacle = adapter.MergeObstacle.ShouldNotBeNull();
        obstacle.ShouldContain(target);
        obstacle.ShouldContain("tied");
        float[] before = golden.Logits().Values.ToArray();
        Should.Throw<InputException>(adapter.Merge);
        golden.Logits().Values.ToArray().ShouldBe(before);
    }

    [Fact]
    public void Other_layers_of_a_model_with_a_tied_head_are_merged()
    {
        using PeftGolden golden = PeftGolden.OfBase("qwen2");
        Make(golden, "lora", "q_proj").MergeObstacle.ShouldBeNull();
    }

    [Fact]
    public void Merging_a_second_time_changes_nothing()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        float[] plain = golden.Logits().Values.ToArray();
        Adapter adapter = Make(golden, "lora", "q_proj");
        adapter.Merge();
        float[] merged = golden.Logits().Values.ToArray();
        adapter.Merge();
        golden.Logits().Values.ToArray().ShouldBe(merged);
        adapter.Unmerge();
        adapter.Detach();
        golden.Logits().Values.ToArray().ShouldBe(plain);
    }

    [Fact]
    public void A_bias_that_the_layer_has_no_place_for_is_told_before_anything_is_merged()
    {
        using PeftGolden golden = PeftGolden.OfBase("qwen2");
        // q_proj has a bias, o_proj has none
        Adapter adapter = AdapterFile.Create(golden.Model, new LoraMethod(), new JsonObject
        {
            ["init_lora_weights"] = false, ["lora_bias"] = true, ["target_modules"] = new JsonArray("q_proj", "o_proj"),
        });
        float[][] before = WeightsOf(golden);
        adapter.MergeObstacle.ShouldNotBeNull().ShouldContain("o_proj");
        Should.Throw<InputException>(adapter.Merge);
        WeightsOf(golden).ShouldBe(before);
    }

    [Theory]
    [InlineData("lora", "q_proj")]
    [InlineData("lora", "embed_tokens")]
    [InlineData("saved", "norm")]
    public void Weights_that_are_being_trained_are_restored_too(string method, string target)
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        Adapter adapter = Make(golden, method, target);
        golden.Model.SetTrainable(true);
        float[][] before = WeightsOf(golden);
        adapter.Merge();
        WeightsOf(golden).ShouldNotBe(before);
        adapter.Unmerge();
        adapter.Detach();
        WeightsOf(golden).ShouldBe(before);
    }

    [Fact]
    public void Adapters_merged_one_after_another_are_taken_out_in_reverse_only()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        float[][] before = WeightsOf(golden);
        Adapter first = Make(golden, "lora", "q_proj"), second = Make(golden, "lora", "q_proj");
        first.Merge();
        second.Merge();
        float[][] both = WeightsOf(golden);
        Should.Throw<InvalidOperationException>(first.Unmerge).Message.ShouldContain("q_proj");
        WeightsOf(golden).ShouldBe(both);
        second.Unmerge();
        first.Unmerge();
        WeightsOf(golden).ShouldBe(before);
    }

    private static Adapter Make(PeftGolden golden, string method, string target)
    {
        JsonObject options = new() { ["target_modules"] = new JsonArray(target) };
        if (method == "ia3")
        {
            options["feedforward_modules"] = new JsonArray();
            return AdapterFile.Create(golden.Model, new Ia3Method(), options);
        }
        options["use_dora"] = method == "dora";
        options["init_lora_weights"] = false;
        if (method == "saved")
            (options["target_modules"], options["modules_to_save"]) = (new JsonArray("q_proj"), new JsonArray(target));
        Adapter adapter = AdapterFile.Create(golden.Model, new LoraMethod(), options);
        foreach (Parameter parameter in adapter.Parameters.Where(parameter => parameter.Name.Contains("embedding_A", StringComparison.Ordinal)))
            parameter.Value.Fill(0.1f);
        return adapter;
    }

    private static float[][] WeightsOf(PeftGolden golden) => [.. golden.Model.Parameters.Select(parameter => parameter.Value.ToSingles())];
}
