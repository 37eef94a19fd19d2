using Lorikeet.Cli.Tests;
using Lorikeet.Inference.Tests;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet chat</c> with questions from a pipe.</summary>
public sealed class ChatCommandTests : IDisposable
{
    private readonly TinyModelFolder _model = new();

    [Fact]
    public void Each_line_is_a_question_and_history_counts_until_a_reset()
    {
        string[] answers = CommandRun.With("Hi\nHi\n/reset\nHi\n", "chat", _model.Path, "--max-tokens", "8").Succeeded().Output.Split('\n');
        string alone = CommandRun.With("Hi", "chat", _model.Path, "--max-tokens", "8").Succeeded().Output;
        string joined = string.Join('\n', answers);
        joined.ShouldStartWith(alone);
        joined.ShouldEndWith(alone);
        joined.Length.ShouldBeGreaterThan(2 * alone.Length);
    }

    [Fact]
    public void The_system_message_reaches_the_template()
    {
        string plain = CommandRun.With("Hi\n", "chat", _model.Path, "--max-tokens", "8").Succeeded().Output;
        string option = CommandRun.With("Hi\n", "chat", _model.Path, "--max-tokens", "8", "--system", "Be odd.").Succeeded().Output;
        string typed = CommandRun.With("/system Be odd.\nHi\n", "chat", _model.Path, "--max-tokens", "8").Succeeded().Output;
        option.ShouldNotBe(plain);
        typed.ShouldBe(option);
    }

    [Fact]
    public void Unknown_orders_and_questions_that_are_too_long_end_nothing()
    {
        string tooLong = string.Concat(Enumerable.Repeat("again and again ", 100));
        CommandRun run = CommandRun.With($"/frobnicate\n{tooLong}\nHi\n/exit\nnever read\n", "chat", _model.Path, "--max-tokens", "4");
        run.Error.ShouldContain("/frobnicate is not known");
        run.Error.ShouldContain("taken back");
        run.Output.ShouldBe(CommandRun.With("Hi", "chat", _model.Path, "--max-tokens", "4").Succeeded().Output);
    }

    [Theory]
    [InlineData("Hi\n", 0)]
    [InlineData("/reset\nHi\n", 0)]
    [InlineData("TOO LONG\nHi\n", 1)]
    [InlineData("/adapter french\nHi\n", 1)]
    [InlineData("/frobnicate\n", 1)]
    public void A_script_learns_by_the_exit_code_that_something_failed(string input, int code) => CommandRun.With(
        input.Replace("TOO LONG", string.Concat(Enumerable.Repeat("again and again ", 100)), StringComparison.Ordinal), "chat", _model.Path, "--max-tokens", "4").Code.ShouldBe(code);

    [Fact]
    public void A_base_model_says_what_it_can_do_instead()
    {
        File.Delete(_model.File("tokenizer_config.json"));
        CommandRun run = CommandRun.With("Hi\n", "chat", _model.Path);
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("lorikeet generate");
    }

    public void Dispose() => _model.Dispose();
}
