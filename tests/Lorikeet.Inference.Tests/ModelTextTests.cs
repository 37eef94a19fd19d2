using Lorikeet.Text;

namespace Lorikeet.Inference.Tests;

/// <summary>What a folder made of a model says about text.</summary>
public sealed class ModelTextTests : IDisposable
{
    private readonly TinyModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tokenizer.model")]
    [InlineData("spiece.model")]
    [InlineData("sentencepiece.bpe.model")]
    [InlineData("words.spm")]
    public void A_tokenizer_of_whatever_name_is_found_where_it_was_written(string name)
    {
        string file = _folder.File(name), to = _folder.File("to");
        if (name != "tokenizer.model")
            File.Move(_folder.File("tokenizer.model"), file);
        Directory.CreateDirectory(to);
        ModelText.Of(file, null, null).WriteInto(to);
        Tokenizer.Load(to).Encode("Once upon a time").Ids.ShouldBe(Tokenizer.Load(file).Encode("Once upon a time").Ids);
    }
}
