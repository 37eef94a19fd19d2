using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lorikeet.Cli;

/// <summary>What a command reads from and writes to. Tests hand it their own streams.</summary>
internal sealed class Terminal
{
    /// <summary>Standard input, UTF-8; reading what is none throws an <see cref="Tensors.InputException"/>.</summary>
    public required TextReader In { get; init; }

    /// <summary>Results. Buffered: call <see cref="TextWriter.Flush"/> where somebody watches.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Progress, remarks and errors, so that results can be piped.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>True where a person watches <see cref="Out"/>; otherwise the output is plain.</summary>
    public bool IsInteractive { get; init; }

    /// <summary>True where a person watches <see cref="Error"/>, so that a line may be written over.</summary>
    public bool ShowsProgress { get; init; }

    /// <summary>True where a person types <see cref="In"/>.</summary>
    public bool IsTyped { get; init; }

    /// <summary>Cancelled by Ctrl-C and by a request to terminate.</summary>
    public CancellationToken Interrupted { get; init; }

    /// <summary>Writes a piece of a result that somebody waits for.</summary>
    public void Show(string text)
    {
        Out.Write(text);
        Out.Flush();
    }

    /// <summary>Text from a stranger's file, without the characters that would steer a terminal.</summary>
    public static string Printable(string text) =>
        text.Any(IsControl) ? string.Concat(text.Select(c => IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString())) : text;

    /// <summary>The streams of this process.</summary>
    public static Terminal OfProcess(CancellationToken interrupted)
    {
        UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);
        return new Terminal
        {
            In = new Utf8Input(Console.OpenStandardInput(), "standard input"),
            Out = new StreamWriter(new OutputStream(StandardOutput()), utf8, 1 << 16) { NewLine = "\n" },
            Error = new StreamWriter(new OutputStream(Console.OpenStandardError(), mayFail: true), utf8) { NewLine = "\n", AutoFlush = true },
            IsInteractive = !Console.IsOutputRedirected,
            ShowsProgress = !Console.IsErrorRedirected,
            IsTyped = !Console.IsInputRedirected,
            Interrupted = interrupted,
        };
    }

    // the console's stream hides that a pipe was closed, and the program would go on for nobody; files keep the place that others write to as well
    private static Stream StandardOutput()
    {
        if (!OperatingSystem.IsWindows() && Console.IsOutputRedirected)
        {
            FileStream stream = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            if (!stream.CanSeek)
                return stream;
        }
        return Console.OpenStandardOutput();
    }

    private static bool IsControl(char c) => char.IsControl(c) && c is not ('\n' or '\t');
}
