using Lorikeet.Formats;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference.Tests;

/// <summary>A model with all that belongs to it, from wherever it lies.</summary>
public sealed class ModelPackageTests : IDisposable
{
    private readonly TinyModelFolder _folder = new();

    [Fact]
    public void A_folder_with_a_SentencePiece_vocabulary_opens()
    {
        using ModelPackage package = ModelPackage.Open(_folder.Path);
        package.Tokenizer.EncodeIds("Once upon a time")[0].ShouldBe(1, "the begin token");
        package.EndTokens.ShouldBe([2]);
        package.ChatTemplates.ShouldNotBeNull();
        package.Remarks.ShouldBeEmpty();
    }

    [Fact]
    public void End_tokens_come_from_generation_config_before_config()
    {
        _folder.Write("generation_config.json", """{"eos_token_id": [7, 9]}""");
        using ModelPackage package = ModelPackage.Open(_folder.Path);
        package.EndTokens.ShouldBe([2, 7, 9]);
    }

    [Fact]
    public void Problems_of_every_part_are_told_at_once()
    {
        File.Delete(_folder.File("tokenizer.model"));
        _folder.Write("tokenizer_config.json", """{"chat_template": "{% if %}"}""");
        _folder.Write("config.json", """{"model_type": "perceptron"}""");
        InputException error = Should.Throw<InputException>(() => ModelPackage.Open(_folder.Path));
        error.Message.ShouldContain("tokenizer");
        error.Message.ShouldContain("line 1");
        error.Message.ShouldContain("perceptron");
        error.Problems.Count.ShouldBe(3);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_remarked_on()
    {
        File.Copy(GoldenData.Path("tokenizers", "gpt2", "tokenizer.json"), _folder.File("tokenizer.json"));
        using ModelPackage package = ModelPackage.Open(_folder.Path);
        package.Remarks.ShouldHaveSingleItem().ShouldContain("50257");
    }

    [Fact]
    public void A_name_of_the_hub_is_found_in_its_cache()
    {
        string cache = Directory.CreateTempSubdirectory("lorikeet-cache-").FullName;
        string commit = new('c', 40), repository = Path.Combine(cache, "models--birds--tiny"), snapshot = Path.Combine(repository, "snapshots", commit);
        Directory.CreateDirectory(Path.Combine(repository, "refs"));
        Directory.CreateDirectory(snapshot);
        File.WriteAllText(Path.Combine(repository, "refs", "main"), commit);
        foreach (string file in Directory.EnumerateFiles(_folder.Path))
            File.Copy(file, Path.Combine(snapshot, Path.GetFileName(file)));
        ModelFiles files = ModelFiles.Find("birds/tiny", new HubCache(cache));
        files.Path.ShouldBe(snapshot);
        using (ModelPackage package = ModelPackage.Open(files))
            package.Model.Facts.Layers.ShouldBe(5);
        Should.Throw<InputException>(() => ModelFiles.Find("birds/other", new HubCache(cache))).Message.ShouldContain("lorikeet pull");
        Directory.Delete(cache, recursive: true);
    }

    [Fact]
    public void Random_weights_have_no_tokenizer_and_say_so() =>
        Should.Throw<InputException>(() => ModelPackage.Open("random:tiny")).Message.ShouldContain("no tokenizer");

    [Fact]
    public void A_GGUF_file_holds_everything()
    {
        using ModelPackage package = ModelPackage.Open(GoldenData.Shared("model-smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        package.EndTokens.ShouldBe([2]);
        package.Tokenizer.EncodeIds("Hello 42").ShouldBe(Tokenizer.Load(GoldenData.Shared("tok-smollm2")).EncodeIds("Hello 42"));
        package.ChatTemplates!.Variables.BosToken.ShouldBe("<|im_start|>");
        package.ChatTemplates.Templates.Keys.ShouldBe(["default"]);
    }

    [Fact]
    public void A_GGUF_file_with_a_SentencePiece_vocabulary_reads_text_as_its_folder_does()
    {
        Tokenizer gguf = ModelFiles.Find(GoldenData.Shared("golden-stories260K", "stories260K-f32.gguf")).LoadTokenizer();
        string text = "Once upon a time, there was a little girl named Lily.";
        gguf.EncodeIds(text).ShouldBe(ModelFiles.Find(_folder.Path).LoadTokenizer().EncodeIds(text));
    }

    public void Dispose() => _folder.Dispose();
}
