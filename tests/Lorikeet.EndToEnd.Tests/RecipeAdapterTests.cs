using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Inference.Tests;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>The adapter section of recipes: every method trains, and what is wrong is told with its place.</summary>
public sealed class RecipeAdapterTests : IDisposable
{
    private readonly TinyModelFolder _model = new();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("lora", "rank_pattern: {q_proj: 2}\n  alpha_pattern: {q_proj: 6}", "adapter_model.safetensors")]
    [InlineData("dora", "r: 2", "adapter_model.safetensors")]
    [InlineData("ia3", "", "adapter_model.safetensors")]
    [InlineData("prefix", "num_virtual_tokens: 3", "adapter_model.safetensors")]
    [InlineData("pfeiffer", "reduction_factor: 4", "adapter.safetensors")]
    [InlineData("Houlsby", "reduction_factor: 4", "adapter.safetensors")]
    [InlineData("parallel", "", "adapter.safetensors")]
    public void Every_method_trains_and_is_loaded_again(string method, string options, string weights)
    {
        CommandRun.Of("train", Recipe($"method: {method}\n  {options}")).Succeeded();
        string adapter = _model.File("out/adapter");
        File.Exists(Path.Combine(adapter, weights)).ShouldBeTrue();
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(adapter, "adapter_config.json")))!;
        ((string?)config["base_model_name_or_path"] ?? (string?)config["model_name"]).ShouldBe(_model.Path);
        CommandRun.Of("generate", _model.Path, "Once", "--max-tokens", "2", "--adapter", adapter).Succeeded();
    }

    [Theory]
    [InlineData("method: lora\n  rank: 4", "recipe.yaml:4:3: adapter.rank: no option of lora. Here it is r")]
    [InlineData("lora_r: 4", "recipe.yaml:3:3: adapter.lora_r: no option of lora. Here it is r")]
    [InlineData("alpha: 4", "recipe.yaml:3:3: adapter.alpha: no option of lora. Here it is lora_alpha")]
    [InlineData("dropout: 0.1", "recipe.yaml:3:3: adapter.dropout: no option of lora. Here it is lora_dropout")]
    [InlineData("lora_alhpa: 4", "recipe.yaml:3:3: adapter.lora_alhpa: no option of lora. Did you mean lora_alpha?")]
    [InlineData("method: loar", "recipe.yaml:3:3: adapter.method: found \"loar\", expected lora, dora, ia3, prefix, pfeiffer, houlsby, parallel, or full. Did you mean lora?")]
    [InlineData("lora_alpha: .nan", "recipe.yaml:3:3: adapter.lora_alpha: found NaN, expected a finite number")]
    [InlineData("layers_to_transform: [99]\n  target_modules: [q_proj]", "recipe.yaml:3:3: adapter.layers_to_transform: found 99, expected numbers from 0 to 4, the layers of this model")]
    [InlineData("exclude_modules: [q_proj]\n  target_modules: [q_proj]", "recipe.yaml:3:3: adapter.exclude_modules: leaves none of the target_modules")]
    [InlineData("method: prefix", "recipe.yaml:3:3: adapter.num_virtual_tokens: is missing: the number of learned positions before the text, 20 for example")]
    [InlineData("method: prefix\n  tokens: 4", "recipe.yaml:4:3: adapter.tokens: no option of prefix. Here it is num_virtual_tokens")]
    [InlineData("method: prefix\n  num_virtual_tokens: 100000000", "recipe.yaml:4:3: adapter.num_virtual_tokens: found 100000000, expected a whole number from 1 to 255")]
    [InlineData("method: pfeiffer\n  reduction_factor: 1e-9", "recipe.yaml:4:3: adapter.reduction_factor: found 1E-09, which makes a bottleneck of 63999999999 numbers")]
    [InlineData("r: 100000000", "recipe.yaml:3:3: adapter.r: found a rank of 100000000 for model.layers.0.self_attn.q_proj, expected at most 1024: a change of this layer has no higher rank")]
    [InlineData("rank_pattern: {v_proj: 100000000}", "recipe.yaml:3:3: adapter.rank_pattern: found a rank of 100000000 for model.layers.0.self_attn.v_proj, expected at most 1024: a change of this layer has no higher rank")]
    [InlineData("method: full\n  r: 4", "recipe.yaml:4:3: adapter.r: full fine-tuning has no options; remove the key, or choose another method")]
    public void What_is_wrong_is_told_once_with_its_place_and_a_way_out(string section, string expected)
    {
        CommandRun run = CommandRun.Of("train", Recipe(section));
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(expected);
        run.Error.Split("adapter.").Length.ShouldBe(2, run.Error);
        run.Error.Length.ShouldBeLessThan(600);
        run.Error.ShouldNotContain("was not attached");
    }

    [Fact]
    public void What_is_wrong_with_it_is_told_among_all_other_problems_of_the_recipe_in_the_order_of_the_file()
    {
        string recipe = Recipe("r: many\n  lora_alpa: 3\n  lora_dropout: 2");
        CommandRun run = CommandRun.Of("train", recipe, "--set", "training.learning_rate=fast", "--set", "adapter.use_dora=maybe");
        run.Code.ShouldBe(2);
        string[] lines = run.Error.TrimEnd().Split('\n');
        (string Place, string Text)[] expected =
        [
            ("recipe.yaml:3:3: ", "adapter.r: found the string \"many\", expected a whole number."),
            ("recipe.yaml:4:3: ", "adapter.lora_alpa: no option of lora. Did you mean lora_alpha?"),
            ("recipe.yaml:5:3: ", "adapter.lora_dropout: a probability below 1 was expected, found 2."),
            ("--set", "training.learning_rate: found 'fast', expected a number"),
            ("--set", "adapter.use_dora: found the string \"maybe\", expected true or false."),
        ];
        lines.Length.ShouldBe(1 + expected.Length, run.Error);
        for (int i = 0; i < expected.Length; i++)
        {
            lines[i + 1].ShouldContain(expected[i].Place);
            lines[i + 1].ShouldContain(expected[i].Text);
        }
    }

    [Fact]
    public void A_name_alone_is_a_method_too()
    {
        File.WriteAllText(_model.File("recipe.yaml"), File.ReadAllText(Recipe("method: lora")).Replace("adapter:\n  method: lora", "adapter: loar", StringComparison.Ordinal));
        CommandRun.Of("train", _model.File("recipe.yaml")).Error.ShouldContain("recipe.yaml:2:10: adapter.method: found \"loar\"");
    }

    [Fact]
    public void A_result_never_takes_the_place_of_something_else()
    {
        string thesis = _model.File("out/adapter/thesis.txt");
        Directory.CreateDirectory(Path.GetDirectoryName(thesis)!);
        File.WriteAllText(thesis, "years of work");
        CommandRun run = CommandRun.Of("train", Recipe("method: lora"));
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain("adapter_config.json");
        File.ReadAllText(thesis).ShouldBe("years of work");
    }

    private string Recipe(string section)
    {
        _model.Write("rows.jsonl", "{\"prompt\": \"Once upon\", \"completion\": \" a time\"}\n{\"prompt\": \"There was\", \"completion\": \" a cat\"}\n");
        _model.Write("recipe.yaml", $"model: {_model.Path}\nadapter:\n  {section}\ndata:\n  train: {_model.File("rows.jsonl")}\ntraining:\n  steps: 2\n  batch_size: 1\nsamples:\n  count: 0\noutput: {_model.File("out")}\n");
        return _model.File("recipe.yaml");
    }
}
