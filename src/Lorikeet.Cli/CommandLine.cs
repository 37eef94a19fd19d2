using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Reflection;
using Lorikeet.Cli.Commands;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>The whole program: arguments in, exit code out. 0 is success, 1 a failure, 2 wrong use or unusable input, 130 an interruption.</summary>
internal static class CommandLine
{
    // longer lines are hard to read, also where nothing says how wide the terminal is
    private const int WidestHelp = 100;

    /// <summary>Runs one command.</summary>
    public static int Run(IReadOnlyList<string> arguments, Terminal terminal)
    {
        try
        {
            ParseResult parsed = Root(terminal).Parse(arguments);
            InvocationConfiguration configuration = new()
            {
                Output = terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            if (parsed.Action is ParseErrorAction wrong)
            {
                wrong.ShowHelp = false;
                using StringWriter words = new(CultureInfo.InvariantCulture) { NewLine = terminal.Error.NewLine };
                configuration.Error = words;
                parsed.Invoke(configuration);
                terminal.Error.Write(parsed.Errors.Aggregate(words.ToString(), (text, error) => text.Replace(error.Message, UsageErrors.Plain(error), StringComparison.Ordinal)));
                terminal.Error.WriteLine($"See `lorikeet {PathOf(parsed.CommandResult.Command)}--help`.");
                return ExitCode.BadInput;
            }
            // help is not what a wrong variable should keep anybody from
            if (Isa.Problem is { } problem && parsed.Action is not (HelpWithExample or PrintVersion))
                throw new InputException(problem);
            int code = parsed.Invoke(configuration);
            terminal.Out.Flush();
            return code;
        }
        catch (Exception error)
        {
            return Failure.Report(error, terminal);
        }
    }

    private static RootCommand Root(Terminal terminal)
    {
        RootCommand root = new("Lorikeet fine-tunes language models with LoRA and its kin, and runs them. Everything it reads and writes is what Hugging Face programs use.")
        {
            QuickstartCommand.Create(terminal),
            TrainCommand.Create(terminal),
            GenerateCommand.Create(terminal),
            ChatCommand.Create(terminal),
            InspectCommand.Create(terminal),
            PullCommand.Create(terminal),
            ForwardCommand.Create(terminal),
            TokenizeCommand.Create(terminal),
            RenderCommand.Create(terminal),
            MergeCommand.Create(terminal),
            ConvertCommand.Create(terminal),
            QuantizeCommand.Create(terminal),
            BenchCommand.Create(terminal),
            DoctorCommand.Create(terminal),
        };
        UsageErrors.RefuseEmptyNames(root);
        foreach (Option option in root.Options)
        {
            if (option is System.CommandLine.Help.HelpOption { Action: System.CommandLine.Help.HelpAction action } help)
            {
                action.MaxWidth = Math.Min(action.MaxWidth, WidestHelp);
                help.Action = new HelpWithExample(action);
            }
            else if (option is VersionOption version)
                version.Action = new PrintVersion(terminal);
        }
        return root;
    }

    private static string PathOf(Command command) => command is RootCommand ? "" : $"{PathOf((Command)command.Parents.First())}{command.Name} ";

    private sealed class PrintVersion(Terminal terminal) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            string version = typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
            terminal.Out.WriteLine($"lorikeet {version}");
            return ExitCode.Success;
        }
    }
}
