using System.Globalization;

namespace Lorikeet.Cli.Tests;

/// <summary>Results that nobody takes.</summary>
public class OutputTests
{
    private const int NoSpace = 28, BrokenPipe = 32;

    private static string Gpt2 => GoldenData.Path("tokenizers", "gpt2", "tokenizer.json");

    [Theory]
    [InlineData("tokenize", false)]
    [InlineData("inspect", true)]
    [InlineData("--version", false)]
    public void A_full_disk_behind_standard_output_is_a_failure_in_one_line(string command, bool json)
    {
        (int code, string error) = Run(NoSpace, "no room", [command, .. command[0] == '-' ? (string[])[] : [Gpt2], .. json ? (string[])["--json"] : []]);
        code.ShouldBe(1);
        error.ShouldBe("error: standard output cannot be written (no room)\n");
    }

    [Fact]
    public void A_closed_pipe_ends_the_program_quietly()
    {
        (int code, string error) = Run(BrokenPipe, "broken pipe", "tokenize", Gpt2);
        code.ShouldBe(0);
        error.ShouldBeEmpty();
    }

    [Fact]
    public void Bad_input_is_told_even_if_results_have_nowhere_to_go()
    {
        (int code, string error) = Run(NoSpace, "no room", "tokenize", Gpt2, "--jsonl");
        code.ShouldBe(2);
        error.ShouldContain("line 2");
    }

    [Fact]
    public void Standard_error_may_fail_without_harm()
    {
        using StringWriter output = new(CultureInfo.InvariantCulture);
        using StreamWriter error = new(new OutputStream(new FailingStream(NoSpace, "no room"), mayFail: true)) { AutoFlush = true };
        CommandLine.Run(["frobnicate"], new Terminal { In = TextReader.Null, Out = output, Error = error }).ShouldBe(2);
    }

    private static (int Code, string Error) Run(int reason, string message, params string[] arguments)
    {
        using StringWriter error = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        StreamWriter output = new(new OutputStream(new FailingStream(reason, message)), bufferSize: 4096);
        int code = CommandLine.Run(arguments, new Terminal { In = new StringReader("{\"text\": \"Hello\"}\nyou\n"), Out = output, Error = error });
        return (code, error.ToString());
    }

    private sealed class FailingStream(int reason, string message) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException(message, reason);
    }
}
