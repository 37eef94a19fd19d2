using Lorikeet.Tensors;

namespace Lorikeet.Cli.Tests;

/// <summary>What holds for every command.</summary>
public class CommandLineTests
{
    public static TheoryData<string> Commands =>
        [.. CommandRun.Of("--help").Output.Split("Commands:")[1].Split('\n').Where(line => line.Length > 2 && line[2] != ' ').Select(line => line.Trim().Split(' ')[0])];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_describes_a_command_and_shows_an_example(string name)
    {
        CommandRun run = CommandRun.Of(name, "--help").Succeeded();
        run.Output.ShouldContain("Usage:");
        run.Output.ShouldContain($"lorikeet {name}", customMessage: "an example");
        run.Output.Split("Example:")[0].Split('\n').ShouldAllBe(line => line.Length <= 101, "it fits a terminal");
        run.Error.ShouldBeEmpty();
    }

    [Fact]
    public void The_version_is_a_single_line() => CommandRun.Of("--version").Succeeded().Output.ShouldMatch(@"^lorikeet \d+\.\d+\.\d+\S*\n\z");

    [Theory]
    [InlineData("unknown command", "frobnicate")]
    [InlineData("unknown option", "tokenize", "x", "--frobnicate")]
    [InlineData("missing argument", "tokenize")]
    [InlineData("missing option", "forward", "random:tiny", "x.safetensors")]
    [InlineData("unknown storage", "quantize", "random:tiny", "--to", "banana", "--out", "x.gguf")]
    [InlineData("unknown precision", "generate", "model", "Once", "--precision", "f64")]
    [InlineData("no command")]
    public void Wrong_use_exits_with_2_and_says_where_help_is(string what, params string[] arguments)
    {
        CommandRun run = CommandRun.Of(arguments);
        run.Code.ShouldBe(2, what);
        run.Error.ShouldContain("--help");
    }

    [Theory]
    [InlineData("--out", "merge", "m", "--adapter", "a", "--out", "")]
    [InlineData("MODEL", "generate", "", "text")]
    [InlineData("--adapter", "generate", "m", "text", "--adapter", "")]
    [InlineData("--file", "generate", "m", "--file", "")]
    [InlineData("--output", "quickstart", "--output", "")]
    public void An_empty_name_is_wrong_use(string what, params string[] arguments)
    {
        CommandRun run = CommandRun.Of(arguments);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain($"{what}: is empty");
    }

    [Theory]
    [InlineData("--seed abc: a whole number from 0", "generate", "m", "text", "--seed", "abc")]
    [InlineData("--seed -1: a whole number from 0", "generate", "m", "text", "--seed", "-1")]
    [InlineData("--top-k 1.5: a whole number", "generate", "m", "text", "--top-k", "1.5")]
    [InlineData("--temperature warm: a number", "chat", "m", "--temperature", "warm")]
    [InlineData("--threads two: a whole number", "bench", "gemm", "--threads", "two")]
    public void Numbers_that_are_none_are_refused_in_plain_words(string problem, params string[] arguments)
    {
        CommandRun run = CommandRun.Of(arguments);
        run.Code.ShouldBe(2);
        run.Error.ShouldContain(problem);
        run.Error.ShouldNotContain("System.");
    }

    [Fact]
    public void A_model_that_is_not_there_exits_with_2_and_says_what_to_do()
    {
        CommandRun run = CommandRun.Of("tokenize", "no/such-model");
        run.Code.ShouldBe(2);
        run.Error.ShouldStartWith("error: no/such-model: ");
        run.Error.ShouldContain("lorikeet pull");
        run.Error.ShouldNotContain("   at ");
    }

    [Fact]
    public void What_may_succeed_later_is_a_failure_and_no_bad_input()
    {
        using StringWriter error = new();
        Terminal terminal = new() { In = TextReader.Null, Out = TextWriter.Null, Error = error };
        Failure.Report(new UnavailableException("the disk is full"), terminal).ShouldBe(1);
        Failure.Report(new InputException("no such file"), terminal).ShouldBe(2);
    }

    [Fact]
    public void An_interruption_exits_with_130()
    {
        using StringWriter output = new(), error = new();
        Terminal terminal = new() { In = new StringReader("text"), Out = output, Error = error, Interrupted = new CancellationToken(canceled: true) };
        CommandLine.Run(["tokenize", GoldenData.Path("tokenizers", "gpt2", "tokenizer.json")], terminal).ShouldBe(130);
    }
}
