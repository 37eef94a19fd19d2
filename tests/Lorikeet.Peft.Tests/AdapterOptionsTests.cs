using System.Diagnostics;
using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>Options as a recipe gives them: what they do, and what is said about those that cannot be used.</summary>
public class AdapterOptionsTests
{
    [Fact]
    public void Ranks_and_alphas_by_pattern_are_read_from_a_recipe()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        Adapter adapter = Create(golden, new JsonObject
        {
            ["target_modules"] = new JsonArray("q_proj", "v_proj"),
            ["rank_pattern"] = new JsonObject { ["q_proj"] = 4L, ["layers.1.self_attn.v_proj"] = 2.0 },
            ["alpha_pattern"] = new JsonObject { ["q_proj"] = 6 },
        });
        LoraLinear[] parts = [.. adapter.Parts.Cast<LoraLinear>()];
        parts.Where(part => part.Layer.Path.EndsWith("q_proj", StringComparison.Ordinal)).ShouldAllBe(part => part.A.Value.Rows == 4 && part.Scale == 1.5f);
        parts.Single(part => part.Layer.Path == "model.layers.1.self_attn.v_proj").A.Value.Rows.ShouldBe(2);
        parts.Single(part => part.Layer.Path == "model.layers.0.self_attn.v_proj").A.Value.Rows.ShouldBe(8);
    }

    [Theory]
    [InlineData("\"four\"")]
    [InlineData("2.5")]
    [InlineData("0")]
    [InlineData("1e300")]
    public void A_rank_that_is_none_is_told(string rank)
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        Refused(golden, new JsonObject { ["rank_pattern"] = new JsonObject { ["q_proj"] = JsonNode.Parse(rank) } }).ShouldContain("rank_pattern");
    }

    [Fact]
    public void A_layers_pattern_may_hold_groups()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        Adapter adapter = Create(golden, new JsonObject
        {
            ["target_modules"] = new JsonArray("q_proj"), ["layers_to_transform"] = new JsonArray(1), ["layers_pattern"] = "(h|layers)",
        });
        adapter.Parts.Cast<LoraLinear>().Select(part => part.Layer.Path).ShouldBe(["model.layers.1.self_attn.q_proj"]);
    }

    [Theory]
    [InlineData("target_modules")]
    [InlineData("exclude_modules")]
    [InlineData("layers_pattern")]
    [InlineData("rank_pattern")]
    public void An_expression_that_takes_too_long_is_told_once(string field)
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        // looking ahead needs the engine that tries every way
        const string Slow = @"(?!none)(([a-z0-9_.]+)+)+#";
        JsonObject options = new() { ["target_modules"] = new JsonArray("q_proj"), [field] = Slow };
        if (field == "layers_pattern")
            (options["layers_to_transform"], options[field]) = (new JsonArray(1), @"(?!none)(([a-z0-9_.]+)+)+#");
        if (field == "rank_pattern")
            options[field] = new JsonObject { [Slow] = 4 };
        Stopwatch watch = Stopwatch.StartNew();
        string message = Refused(golden, options);
        message.ShouldContain(field);
        message.ShouldContain("takes too long");
        message.Split("takes too long").Length.ShouldBe(2);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("qwen2", "embed_tokens", true)]
    [InlineData("qwen2", "lm_head", true)]
    [InlineData("qwen2", "q_proj", false)]
    [InlineData("llama", "lm_head", false)]
    public void Tying_adapters_is_refused_where_it_would_change_something(string model, string target, bool refused)
    {
        using PeftGolden golden = PeftGolden.OfBase(model);
        foreach (string field in (string[])["target_modules", "modules_to_save"])
        {
            JsonObject options = new() { ["ensure_weight_tying"] = true, ["target_modules"] = new JsonArray("q_proj", "k_proj") };
            if (field == "modules_to_save" && target == "q_proj")
                ((JsonArray)options["target_modules"]!).RemoveAt(0);
            options[field] = new JsonArray(target);
            // a table that is trained whole takes the head along
            if (refused && (field, target) != ("modules_to_save", "embed_tokens"))
                Refused(golden, options).ShouldContain("ensure_weight_tying");
            else
                Create(golden, options).Parts.ShouldNotBeEmpty();
        }
    }

    private static Adapter Create(PeftGolden golden, JsonObject options) => AdapterFile.Create(golden.Model, new LoraMethod(), options);

    private static string Refused(PeftGolden golden, JsonObject options) => Should.Throw<InputException>(() => Create(golden, options)).Message;
}
