using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Models;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>The heads of classifiers, which adapters train along.</summary>
public sealed class SavedModulesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-heads-").FullName;

    private static string Texts => GoldenData.Path("peft", "bases", "llama-cls");

    private static string Tokens => GoldenData.Path("classifiers", "gpt2-tokcls");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("lora", """{"r": 4}""")]
    [InlineData("lora", """{"r": 4, "use_dora": true}""")]
    [InlineData("lora", """{"r": 4, "modules_to_save": ["norm"]}""")]
    [InlineData("ia3", "{}")]
    [InlineData("prefix", """{"num_virtual_tokens": 3}""")]
    public void Every_method_trains_and_stores_the_head(string method, string options)
    {
        using LanguageModel model = ModelLoader.LoadAny(Texts);
        Adapter adapter = AdapterFile.Create(model, PeftRegistry.OfRecipe(method), JsonNode.Parse(options)!.AsObject());
        adapter.Config.Text("task_type").ShouldBe("SEQ_CLS");
        adapter.Config.TextsOrNull("modules_to_save")!.TakeLast(2).ShouldBe(["classifier", "score"]);
        adapter.Notes.ShouldBeEmpty();
        adapter.Attach();
        adapter.Train();
        string key = method == "prefix" ? "base_model.score.weight" : "base_model.model.score.weight";
        adapter.Parameters.Single(parameter => parameter.Name == key).Value.Values.Fill(0.5f);
        model.Head.Weight.Value.Values[0].ShouldBe(0.5f);
        string saved = Path.Combine(_folder, "adapter");
        AdapterFile.Save(adapter, saved);
        adapter.Detach();
        model.Head.Weight.Value.Values[0].ShouldNotBe(0.5f);
        Adapter again = AdapterFile.Load(model, saved);
        again.Parameters.Select(parameter => parameter.Name).ShouldBe(adapter.Parameters.Select(parameter => parameter.Name), ignoreOrder: true);
        again.Attach();
        model.Head.Weight.Value.Values[0].ShouldBe(0.5f);
    }

    [Fact]
    public void Every_linear_layer_is_every_one_but_the_head_of_a_text_classifier()
    {
        using LanguageModel model = ModelLoader.LoadAny(Texts);
        Adapter adapter = AdapterFile.Create(model, new LoraMethod(), new JsonObject { ["target_modules"] = "all-linear" });
        adapter.Config.TextsOrNull("target_modules")!.ShouldNotContain("score");
        adapter.Parameters.Select(parameter => parameter.Name).Where(name => name.Contains("score", StringComparison.Ordinal)).ShouldBe(["base_model.model.score.weight"]);
    }

    [Fact]
    public void The_head_of_a_token_classifier_has_a_bias_that_is_stored_once()
    {
        using LanguageModel model = ModelLoader.LoadAny(Tokens);
        Adapter adapter = AdapterFile.Create(model, new LoraMethod(), new JsonObject { ["bias"] = "all" });
        adapter.Config.Text("task_type").ShouldBe("TOKEN_CLS");
        string[] names = [.. adapter.Parameters.Select(parameter => parameter.Name)];
        names.ShouldBeUnique();
        names.Where(name => name.Contains("classifier", StringComparison.Ordinal)).ShouldBe(["base_model.model.classifier.weight", "base_model.model.classifier.bias"], ignoreOrder: true);
    }

    [Fact]
    public void An_older_file_need_not_name_it()
    {
        using LanguageModel model = ModelLoader.LoadAny(Texts);
        AdapterFile.Save(AdapterFile.Create(model, new LoraMethod(), []), _folder);
        JsonConfig config = JsonConfig.Load(Path.Combine(_folder, "adapter_config.json"));
        config.Root["modules_to_save"] = null;
        config.Save(Path.Combine(_folder, "adapter_config.json"), JsonStyle.AdapterConfig);
        AdapterFile.Load(model, _folder).Parameters.ShouldContain(parameter => parameter.Name == "base_model.model.score.weight");
    }

    [Fact]
    public void An_adapter_for_a_classifier_does_not_fit_a_model_that_writes()
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("peft", "bases", "llama"));
        string message = Should.Throw<InputException>(() => AdapterFile.Load(model, GoldenData.Path("peft", "lora", "task-seqcls-llama", "adapter"))).Message;
        message.ShouldContain("task_type SEQ_CLS");
        message.ShouldContain("this model is of task CAUSAL_LM and has neither classifier nor score");
        Should.Throw<InputException>(() => AdapterFile.Create(model, new Ia3Method(), new JsonObject { ["task_type"] = "TOKEN_CLS" })).Message.ShouldContain("task_type TOKEN_CLS");
    }
}
