using Lorikeet.Kernels;
using Lorikeet.Models;

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
            GgufModelFile.Write(ModelFiles.Find(_folder.Path), model, first, DType.F32);
        using (CausalLm model = ModelLoader.Load(first))
            GgufModelFile.Write(ModelFiles.Find(first), model, second, DType.F32);
        string expected = Answer(_folder.Path);
        Answer(first).ShouldBe(expected);
        Answer(second).ShouldBe(expected);
        File.ReadAllBytes(second).ShouldBe(File.ReadAllBytes(first));
    }

    [Fact]
    public void Random_weights_make_a_file_without_a_vocabulary()
    {
        string path = _folder.File("random.gguf");
        using CausalLm model = ModelLoader.Load("random:tiny");
        GgufModelFile.Write(ModelFiles.Find("random:tiny"), model, path, DType.Q8_0);
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
