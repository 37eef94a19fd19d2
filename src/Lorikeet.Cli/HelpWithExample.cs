using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Lorikeet.Cli;

/// <summary>The usual help text, and below it how the command is typed.</summary>
internal sealed class HelpWithExample(HelpAction help) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is ExampleCommand { Example: var example })
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Example:");
            foreach (string line in example.Split('\n'))
                output.WriteLine($"  {line}");
            output.WriteLine();
        }
        return code;
    }
}
