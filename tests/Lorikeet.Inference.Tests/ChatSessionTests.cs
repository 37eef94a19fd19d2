using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Inference.Tests;

/// <summary>Conversations through a model's own chat template.</summary>
public sealed class ChatSessionTests : IDisposable
{
    private static readonly GenerationRequest Settings = new() { Prompt = [], MaxTokens = 12 };
    private readonly TinyModelFolder _folder = new();
    private readonly ModelPackage _package;

    public ChatSessionTests() => _package = ModelPackage.Open(_folder.Path);

    [Fact]
    public void Later_answers_are_as_if_the_whole_conversation_were_computed_anew()
    {
        using ChatSession session = new(_package, system: "Be kind.");
        string first = Ask(session, "Hi there"), second = Ask(session, "And now?");
        Continue($"<s>s: Be kind.\nu: Hi there\na: ").ShouldBe(first);
        Continue($"<s>s: Be kind.\nu: Hi there\na: {first}\nu: And now?\na: ").ShouldBe(second);
    }

    [Fact]
    public void After_a_reset_nothing_is_remembered()
    {
        using ChatSession session = new(_package);
        string first = Ask(session, "Tell me a story");
        Ask(session, "Another one");
        session.Reset();
        session.Turns.ShouldBe(0);
        Ask(session, "Tell me a story").ShouldBe(first);
    }

    [Fact]
    public void A_change_of_the_model_is_heard_of_once_it_is_told()
    {
        using ChatSession session = new(_package);
        string before = Ask(session, "Tell me a story");
        session.Reset();
        Tensor embeddings = _package.Model.InputEmbedding.Weight.Value, changed = embeddings.ToF32();
        foreach (ref float value in changed.Values)
            value = -value + 0.01f;
        _package.Model.InputEmbedding.Weight.Replace(changed);
        session.ModelChanged();
        Ask(session, "Tell me a story").ShouldNotBe(before);
    }

    [Fact]
    public void A_question_that_no_longer_fits_is_taken_back()
    {
        using ChatSession session = new(_package);
        Ask(session, "Hi");
        Should.Throw<InputException>(() => session.Ask(string.Concat(Enumerable.Repeat("never ending ", 100)), Settings, TestContext.Current.CancellationToken));
        session.Turns.ShouldBe(2);
        Ask(session, "Hi again");
        session.Turns.ShouldBe(4);
    }

    [Fact]
    public void A_question_that_the_model_cannot_answer_is_taken_back()
    {
        using ChatSession session = new(_package);
        Ask(session, "Hi");
        Parameter embeddings = _package.Model.InputEmbedding.Weight;
        Tensor good = embeddings.Value, broken = good.ToF32();
        broken.Fill(float.NaN);
        embeddings.Replace(broken);
        Should.Throw<InputException>(() => Ask(session, "And now?")).Message.ShouldContain("damaged");
        session.Turns.ShouldBe(2);
        embeddings.Replace(good);
        string after = Ask(session, "And now?");
        using ChatSession unharmed = new(_package);
        Ask(unharmed, "Hi");
        Ask(unharmed, "And now?").ShouldBe(after);
    }

    [Fact]
    public void A_base_model_says_that_it_cannot_chat()
    {
        File.Delete(_folder.File("tokenizer_config.json"));
        using ModelPackage package = ModelPackage.Open(_folder.Path);
        Should.Throw<InputException>(() => new ChatSession(package)).Message.ShouldContain("no chat template");
    }

    public void Dispose()
    {
        _package.Dispose();
        _folder.Dispose();
    }

    private static string Ask(ChatSession session, string question) => session.Ask(question, Settings, TestContext.Current.CancellationToken).Text;

    private string Continue(string prompt)
    {
        using Generator generator = new(_package.Model, _package.Tokenizer);
        Generation text = generator.Add(Settings with { Prompt = _package.Tokenizer.EncodeIds(prompt, addSpecial: false), EndTokens = _package.EndTokens });
        generator.Run(TestContext.Current.CancellationToken);
        return text.Text;
    }
}
