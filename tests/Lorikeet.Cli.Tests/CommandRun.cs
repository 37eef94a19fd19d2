using System.Globalization;

namespace Lorikeet.Cli.Tests;

/// <summary>A run of the program within the test's process.</summary>
internal sealed record CommandRun(int Code, string Output, string Error)
{
    /// <summary>Runs the program.</summary>
    /// <param name="input">Standard input.</param>
    /// <param name="arguments">The command and its arguments.</param>
    public static CommandRun With(string input, params string[] arguments)
    {
        using StringWriter output = new(CultureInfo.InvariantCulture) { NewLine = "\n" }, error = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        int code = CommandLine.Run(arguments, new Terminal { In = new StringReader(input), Out = output, Error = error, Interrupted = TestContext.Current.CancellationToken });
        return new CommandRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs the program without input.</summary>
    public static CommandRun Of(params string[] arguments) => With("", arguments);

    /// <summary>The same, where only success is right.</summary>
    public CommandRun Succeeded()
    {
        Code.ShouldBe(0, Error);
        return this;
    }

    /// <summary>The lines of the output.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
