using Lorikeet.Tensors;
using Lorikeet.Text;
using Lorikeet.Training;

namespace Lorikeet.Cli;

/// <summary>Turns what went wrong into words and an exit code. Nobody sees a stack trace who has not asked for one.</summary>
internal static class Failure
{
    /// <summary>Set to 1, this environment variable shows where an error came from.</summary>
    public const string DebugVariable = "LORIKEET_DEBUG";

    /// <summary>Writes the message.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(Exception error, Terminal terminal)
    {
        while (error is AggregateException or TypeInitializationException or System.Reflection.TargetInvocationException && error.InnerException is { } inner)
            error = inner;
        try
        {
            terminal.Out.Flush();
        }
        catch (OutputException closed)
        {
            // what went wrong first is what to report
            if (error is not InputException)
                error = closed;
        }
        if (error is OutputException { IsClosed: true })
            return ExitCode.Success;
        (int code, string text) = error switch
        {
            UnavailableException => (ExitCode.Failed, error.Message),
            InputException or TokenizerException or TemplateException => (ExitCode.BadInput, error.Message),
            DivergedException => (ExitCode.Failed, error.Message),
            OperationCanceledException => (ExitCode.Interrupted, "interrupted"),
            OutOfMemoryException => (ExitCode.Failed, "there is not enough memory. A smaller batch, shorter sequences, or an adapter of lower rank (r) need less"),
            IOException or UnauthorizedAccessException or OutputException => (ExitCode.Failed, error.Message),
            _ => (ExitCode.Failed, $"{error.GetType().Name}: {FirstLine(error.Message)}. This should not happen; {DebugVariable}=1 in the environment shows where it did"),
        };
        terminal.Error.WriteLine($"error: {Terminal.Printable(text)}");
        if (Environment.GetEnvironmentVariable(DebugVariable) == "1")
            terminal.Error.WriteLine(error);
        return code;
    }

    private static string FirstLine(string text)
    {
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        return (end < 0 ? text : text[..end]).TrimEnd('.');
    }
}
