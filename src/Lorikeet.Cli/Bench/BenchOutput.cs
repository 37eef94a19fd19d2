using System.CommandLine;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>What every measurement can be asked for: JSON, repetitions, a comparison with earlier results.</summary>
internal sealed class BenchOutput
{
    /// <summary>The option that is looked at after all of a command's own; it has a value whether or not it is given.</summary>
    public const string Last = "--repeat";

    private readonly Option<bool> _json = CommonOptions.Json("Print one JSON object a line");
    private readonly Option<int> _repeat = new(Last) { Description = "Measure so often, and tell the median with the least and the greatest", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> _against = new("--against") { Description = "Earlier lines of --json in a file: each new figure is told beside the one of the same configuration" };

    /// <summary>Adds the options to a command.</summary>
    public BenchOutput(Command command)
    {
        _repeat.AcceptBetween(1, 1000);
        // looked at together with all other options, so that its problem stands among theirs
        _against.Validators.Add(result =>
        {
            if (result.Tokens is not [{ Value: { Length: > 0 } path }])
                return;
            try
            {
                EarlierFigures.Read(path);
            }
            catch (InputException e)
            {
                result.AddError(e.Message);
            }
        });
        foreach (Option option in (Option[])[_repeat, _against, _json])
            command.Add(option);
    }

    /// <summary>Runs a measurement and prints what it reports.</summary>
    public int Measure(Terminal terminal, ParseResult parse, Action<BenchReport> run)
    {
        EarlierFigures? earlier = parse.GetValue(_against) is { } path ? EarlierFigures.Read(path) : null;
        BenchReport report = new(terminal, parse.GetValue(_json), parse.GetValue(_repeat), earlier);
        // a measurement may take minutes and leaves nothing behind: nobody who has had enough waits for its end
        Task.Run(() => run(report), terminal.Interrupted).WaitAsync(terminal.Interrupted).GetAwaiter().GetResult();
        report.Finish();
        return ExitCode.Success;
    }
}
