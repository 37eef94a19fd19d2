using System.CommandLine;
using Lorikeet.Inference;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet chat</c>: a conversation through the model's own template.</summary>
internal static class ChatCommand
{
    private const string Commands = "/adapter NAME switches the task (none for the bare model), /reset forgets the conversation, /system TEXT sets the system message, /exit ends.";

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = CommonOptions.Model();
        Option<string[]> adapter = new("--adapter") { Description = "An adapter under a name, for /adapter NAME; repeatable. The first one acts from the start", HelpName = "NAME=DIR" };
        Option<string?> system = new("--system") { Description = "The system message" };
        Option<string> precision = PrecisionOption.Create(), kvCache = KvCacheOption.Create();
        Option<int> prefillChunk = PrefillChunkOption.Create();
        ExampleCommand command = new("chat", "Talk to a model through its own chat template. " + Commands,
            "lorikeet chat models/smollm2 --adapter french=out/french --adapter code=out/code\nlorikeet chat models/smollm2 --system \"You are terse.\" --temperature 0.7\nprintf 'Hello!\\nAnd in French?\\n' | lorikeet chat models/smollm2")
        {
            model, adapter, system, precision, kvCache, prefillChunk,
        };
        SamplingFlags sampling = new(command);
        command.SetAction(parse =>
        {
            sampling.Read(parse);
            using ModelPackage package = ModelPackage.Open(parse.GetRequiredValue(model));
            foreach (string remark in package.Remarks)
                terminal.Error.WriteLine($"note: {remark}");
            GenerationRequest settings = sampling.Read(parse, package, terminal);
            AdapterSwitch adapters = new(package.Model, parse.GetValue(adapter) ?? [], terminal);
            using ChatSession session = new(package, parse.GetValue(system), PrecisionOption.Read(parse, precision), KvCacheOption.Read(parse, kvCache), parse.GetValue(prefillChunk));
            return Converse(session, adapters, settings, terminal) || terminal.IsTyped ? ExitCode.Success : ExitCode.Failed;
        });
        return command;
    }

    // false where an answer failed, or what was asked for is not known; who types has seen it, a script has only the exit code
    private static bool Converse(ChatSession session, AdapterSwitch adapters, GenerationRequest settings, Terminal terminal)
    {
        if (terminal.IsTyped)
            terminal.Error.WriteLine(Commands);
        bool good = true;
        for (ulong turn = 0; ; turn++)
        {
            terminal.Interrupted.ThrowIfCancellationRequested();
            if (terminal.IsTyped)
                terminal.Error.Write("> ");
            if (ReadLine(terminal) is not { } line || line.Trim() is "/exit" or "/quit")
                return good;
            if (line.StartsWith('/'))
                good &= Obey(session, adapters, line.Trim(), terminal);
            else if (line.Trim().Length > 0)
                good &= Answer(session, line, settings with { Sampling = settings.Sampling with { Seed = settings.Sampling.Seed + turn } }, terminal);
        }
    }

    // an interruption must not wait for somebody to press Enter
    private static string? ReadLine(Terminal terminal) =>
        terminal.In.ReadLineAsync(terminal.Interrupted).AsTask().WaitAsync(terminal.Interrupted).GetAwaiter().GetResult();

    private static bool Answer(ChatSession session, string question, GenerationRequest settings, Terminal terminal)
    {
        try
        {
            Generation answer = session.Ask(question, settings with { TextArrived = terminal.Show }, terminal.Interrupted);
            terminal.Out.WriteLine();
            terminal.Out.Flush();
            if (answer.Finish == FinishReason.Length)
                terminal.Error.WriteLine($"(cut after {answer.Tokens.Length} tokens; --max-tokens allows more)");
            else if (answer.Finish == FinishReason.ContextFull)
                terminal.Error.WriteLine("(cut: the model's context is full; /reset begins anew)");
            return true;
        }
        catch (Exception e) when (e is InputException or TemplateException)
        {
            terminal.Error.WriteLine($"{e.Message}\n(the question was taken back; /reset begins anew)");
            return false;
        }
    }

    private static bool Obey(ChatSession session, AdapterSwitch adapters, string line, Terminal terminal)
    {
        string[] words = line.Split(' ', 2, StringSplitOptions.TrimEntries);
        string argument = words.Length > 1 ? words[1] : "";
        switch (words[0])
        {
            case "/adapter" when argument.Length == 0:
                terminal.Error.WriteLine($"({adapters.Active ?? AdapterSwitch.None} acts; there are {string.Join(", ", adapters.Names)})");
                return true;
            case "/adapter" when adapters.To(argument):
                session.ModelChanged();
                terminal.Error.WriteLine($"({argument} acts)");
                return true;
            case "/adapter":
                terminal.Error.WriteLine($"(no adapter is called {argument}; there are {string.Join(", ", adapters.Names)})");
                return false;
            case "/reset":
                session.Reset();
                terminal.Error.WriteLine("(the conversation begins anew)");
                return true;
            case "/system":
                session.System = argument.Length > 0 ? argument : null;
                terminal.Error.WriteLine(argument.Length > 0 ? "(system message set)" : "(no system message)");
                return true;
            default:
                terminal.Error.WriteLine($"{words[0]} is not known. {Commands}");
                return false;
        }
    }
}
