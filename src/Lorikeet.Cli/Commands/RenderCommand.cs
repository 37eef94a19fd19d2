using System.CommandLine;
using System.Globalization;
using Lorikeet.Inference;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet render</c>: conversations to the text that a model reads.</summary>
internal static class RenderCommand
{
    private const string ClockFormat = "yyyy-MM-ddTHH:mm:ss";

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = new("MODEL_OR_TEMPLATE") { Description = "A model with a chat template, or a template file in Jinja's language" };
        Option<string[]> special = new("--special") { Description = "A special token for the template, such as bos_token=<s>; may be repeated", HelpName = "NAME=TEXT" };
        Option<string> now = new("--now") { Description = "What the template shall take for now, such as 2024-02-29T23:05:09", HelpName = "TIME" };
        ExampleCommand command = new("render", "Turn conversations, one line of JSON each on standard input, into the text that the model reads: {\"text\": …} or {\"error\": …}. " +
            "A line holds messages, and where wanted tools, documents, add_generation_prompt, continue_final_message, and kwargs with other variables of the template.",
            "echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true}' | lorikeet render models/smollm2")
        {
            model, special, now,
        };
        command.SetAction(parse =>
        {
            Run(parse.GetRequiredValue(model), Variables(parse.GetValue(special) ?? []), Clock(parse.GetValue(now)), terminal);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Run(string model, Dictionary<string, TemplateValue> special, DateTime? now, Terminal terminal)
    {
        ModelChatTemplates templates = Templates(model);
        JsonLineWriter output = new(terminal.Out);
        foreach ((int _, string line) in InputLines.Read(terminal.In))
        {
            terminal.Interrupted.ThrowIfCancellationRequested();
            string name = "text", text;
            try
            {
                text = templates.Render(ChatLine.Read(line, special) with { Now = now }).Text;
            }
            catch (Exception e) when (e is TemplateException or InputException)
            {
                (name, text) = ("error", e.Message);
            }
            output.Write(json => json.WriteString(name, text));
        }
    }

    private static ModelChatTemplates Templates(string name)
    {
        ModelFiles files = ModelFiles.Find(name);
        return files.LoadChatTemplates() ?? throw new InputException($"{name}: has no chat template, as base models have none; a template file can be named in its place");
    }

    private static Dictionary<string, TemplateValue> Variables(string[] pairs)
    {
        Dictionary<string, TemplateValue> variables = new(StringComparer.Ordinal);
        List<string> problems = [];
        foreach (string pair in pairs)
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                variables[pair[..equals]] = pair[(equals + 1)..];
            else
                problems.Add($"--special {pair}: NAME=TEXT was expected, such as bos_token=<s>");
        }
        return problems.Count == 0 ? variables : throw new InputException("the special tokens cannot be used", problems);
    }

    private static DateTime? Clock(string? text)
    {
        if (text is null)
            return null;
        return DateTime.TryParseExact(text, ClockFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime now)
            ? now
            : throw new InputException($"--now {text}: a time such as 2024-02-29T23:05:09 was expected");
    }
}
