using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Text;

namespace Lorikeet.Inference.Tests;

/// <summary>A model's folder turned into one GGUF file, and that into another.</summary>
public sealed class GgufModelFileTests : IDisposable
{
    private readonly TinyModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tokenizer_template_and_weights_come_along()
    {
        string first = _folder.File("first.gguf"), second = _folder.File("second.gguf");
        using (CausalLm model = ModelLoader.Load(_folder.Path))
            GgufModelFile.Write(ModelFiles.Find(_folder.Path), model, first, DType.F32, stop: TestContext.Current.CancellationToken);
        using (CausalLm model = ModelLoader.Load(first))
            GgufModelFile.Write(ModelFiles.Find(first), model, second, DType.F32, stop: TestContext.Current.CancellationToken);
        string expected = Answer(_folder.Path);
        Answer(first).ShouldBe(expected);
        Answer(second).ShouldBe(expected);
        File.ReadAllBytes(second).ShouldBe(File.ReadAllBytes(first));
    }

    [Fact]
    public void A_folder_made_from_a_file_has_its_text_too()
    {
        string file = _folder.File("model.gguf"), folder = _folder.File("folder");
        using (CausalLm model = ModelLoader.Load(_folder.Path))
            GgufModelFile.Write(ModelFiles.Find(_folder.Path), model, file, DType.F32, stop: TestContext.Current.CancellationToken);
        using (CausalLm model = ModelLoader.Load(file))
            ModelFolder.Save(model, file, folder, also: ModelFiles.Find(file).Text().WriteInto, stop: TestContext.Current.CancellationToken);
        Answer(folder).ShouldBe(Answer(_folder.Path));
        using ModelPackage theirs = ModelPackage.Open(file), ours = ModelPackage.Open(folder);
        ours.EndTokens.ShouldBe(theirs.EndTokens);
        ours.ChatTemplates!.Templates.Keys.ShouldBe(theirs.ChatTemplates!.Templates.Keys);
        (ours.Tokenizer.BosToken, ours.Tokenizer.EosToken).ShouldBe((theirs.Tokenizer.BosToken, theirs.Tokenizer.EosToken));
        ours.Tokenizer.Encode(" Once  upon\na time, 漢字 </s>").Ids.ShouldBe(theirs.Tokenizer.Encode(" Once  upon\na time, 漢字 </s>").Ids);
    }

    [Fact]
    public void Templates_of_other_names_come_along_unless_their_names_lead_elsewhere()
    {
        string file = _folder.File("names.gguf"), folder = _folder.File("names");
        GgufVocabulary words = GgufVocabulary.FromFolder(_folder.Path);
        Formats.GgufWriter.Write(file,
        [
            new("general.architecture", "llama"), new("tokenizer.ggml.model", "llama"), new("tokenizer.ggml.tokens", words.Tokens.ToArray()), new("tokenizer.ggml.scores", words.Scores.ToArray()),
            new("tokenizer.ggml.token_type", words.TokenTypes.ToArray()), new("tokenizer.chat_template", "usual"), new("tokenizer.chat_templates", new[] { "tools", "../up" }),
            new("tokenizer.chat_template.tools", "with tools"), new("tokenizer.chat_template.../up", "elsewhere"),
        ], []);
        Directory.CreateDirectory(folder);
        ModelFiles.Find(file).Text().WriteInto(folder);
        ChatTemplate.FromModelFolder(folder)!.Templates.Keys.Order().ShouldBe(["default", "tools"]);
        Directory.GetFiles(_folder.Path, "up*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public void A_file_without_words_says_so()
    {
        string file = _folder.File("random.gguf"), folder = _folder.File("empty");
        using (CausalLm model = ModelLoader.Load("random:tiny"))
            GgufModelFile.Write(ModelFiles.Find("random:tiny"), model, file, DType.Q8_0, stop: TestContext.Current.CancellationToken);
        Directory.CreateDirectory(folder);
        ModelText text = ModelFiles.Find(file).Text();
        text.Missing.ShouldNotBeNull().ShouldContain("hold no tokenizer");
        text.WriteInto(folder);
        Directory.GetFileSystemEntries(folder).ShouldBeEmpty();
    }

    [Fact]
    public void Random_weights_make_a_file_without_a_vocabulary()
    {
        string path = _folder.File("random.gguf");
        using CausalLm model = ModelLoader.Load("random:tiny");
        GgufModelFile.Write(ModelFiles.Find("random:tiny"), model, path, DType.Q8_0, stop: TestContext.Current.CancellationToken);
        using CausalLm again = ModelLoader.Load(path);
        again.Facts.Vocabulary.ShouldBe(512);
    }

    private static string Answer(string path)
    {
        using ModelPackage package = ModelPackage.Open(path);
        using ChatSession chat = new(package);
        return chat.Ask("Once upon a time", new GenerationRequest { Prompt = [], MaxTokens = 12 }).Text;
    }
}
