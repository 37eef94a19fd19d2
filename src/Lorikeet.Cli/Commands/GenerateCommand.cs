using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Inference;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet generate</c>: continues one text or many.</summary>
internal static class GenerateCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = CommonOptions.Model();
        Argument<string?> prompt = new("PROMPT") { Description = "The text to continue; standard input where neither it nor --file is given", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> file = new("--file", "-f") { Description = "A file of prompts: one a line, or .jsonl with lines of {\"prompt\": …} or {\"messages\": […]}" };
        Option<string[]> adapter = new("--adapter") { Description = "An adapter folder; repeated, they act one upon the other", HelpName = "DIR" };
        Option<bool> chat = new("--chat") { Description = "Take the prompt as a user's message and put it through the model's chat template" };
        Option<string?> system = new("--system") { Description = "The system message, with --chat" };
        Option<int> batch = new("--batch") { Description = "How many prompts are answered at the same time", DefaultValueFactory = _ => 16 };
        Option<bool> stream = new("--stream") { Description = "Write the text as it comes, also where no person watches" };
        Option<string> precision = PrecisionOption.Create(), kvCache = KvCacheOption.Create();
        Option<int> prefillChunk = PrefillChunkOption.Create();
        Option<bool> json = CommonOptions.Json("Write one object a line: prompt, text, finish, prompt_tokens, tokens, ids, seed, load_s, first_token_s");
        ExampleCommand command = new("generate", "Continue a text, or every text of a file.",
            "lorikeet generate models/smollm2 \"What is a lorikeet?\" --chat\nlorikeet generate models/smollm2 \"name : Aromi | food : Chinese\" --adapter out/adapter\nlorikeet generate models/smollm2 --file prompts.txt --temperature 0.7 --top-p 0.9 --seed 1 --json")
        {
            model, prompt, file, adapter, chat, system, batch, stream, precision, kvCache, prefillChunk, json,
        };
        SamplingFlags sampling = new(command);
        command.SetAction(parse =>
        {
            sampling.Read(parse);
            IReadOnlyList<PromptFile.Entry> entries = Prompts(parse.GetValue(prompt), parse.GetValue(file), terminal);
            int atOnce = parse.GetValue(batch);
            if (atOnce is < 1 or > 4096)
                throw new InputException($"--batch {atOnce}: 1 to 4096 was expected");
            long begin = Stopwatch.GetTimestamp();
            using ModelPackage package = ModelPackage.Open(parse.GetRequiredValue(model));
            double load = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            foreach (string remark in package.Remarks)
                terminal.Error.WriteLine($"note: {remark}");
            GenerationRequest settings = sampling.Read(parse, package, terminal);
            foreach (Adapter loaded in AdapterFolders.Load(package.Model, parse.GetValue(adapter) ?? [], terminal))
                loaded.Attach();
            using Generator generator = new(package.Model, package.Tokenizer, atOnce)
            {
                Precision = PrecisionOption.Read(parse, precision),
                KvCacheType = KvCacheOption.Read(parse, kvCache),
                PrefillChunk = parse.GetValue(prefillChunk),
            };
            bool asJson = parse.GetValue(json), streams = !asJson && entries.Count == 1 && (parse.GetValue(stream) || terminal.IsInteractive);
            List<string> problems = [];
            List<(Prompt Prompt, Generation Text)> texts = [];
            foreach (PromptFile.Entry entry in entries)
            {
                try
                {
                    Prompt encoded = Encode(package, entry, parse.GetValue(chat), parse.GetValue(system));
                    texts.Add((encoded, generator.Add(settings with
                    {
                        Prompt = encoded.Ids,
                        JoinsPrompt = !encoded.IsChat,
                        EndTokens = package.EndTokens,
                        Sampling = settings.Sampling with { Seed = settings.Sampling.Seed + (ulong)texts.Count },
                        TextArrived = streams ? terminal.Show : null,
                    })));
                }
                catch (Exception e) when (e is InputException or TemplateException or TokenizerException)
                {
                    problems.Add($"{(entry.Line > 0 ? $"line {entry.Line}: " : "")}{e.Message.Replace("\n", "\n    ", StringComparison.Ordinal)}");
                }
            }
            if (problems.Count > 0)
                throw parse.GetValue(file) is { } source ? new InputException($"{source}: the prompts cannot be used", problems) : new InputException(problems[0]);
            Run(generator, texts, load, asJson, streams, terminal);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Run(Generator generator, List<(Prompt Prompt, Generation Text)> texts, double load, bool json, bool streams, Terminal terminal)
    {
        Stopwatch watch = Stopwatch.StartNew();
        JsonLineWriter lines = new(terminal.Out);
        int printed = 0;
        double? first = null;
        for (bool more = true; more;)
        {
            terminal.Interrupted.ThrowIfCancellationRequested();
            more = generator.Next();
            if (first is null && texts.Any(text => text.Text.Tokens.Length > 0))
                first = ProcessClock.Seconds;
            for (; printed < texts.Count && texts[printed].Text.Finish is not null; printed++)
                Print(texts, printed, (load, first!.Value), lines, json, streams, terminal);
        }
        int tokens = texts.Sum(text => text.Text.Tokens.Length);
        if (terminal.ShowsProgress)
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tokens} tokens, {tokens / watch.Elapsed.TotalSeconds:0.0} a second"));
    }

    private static void Print(List<(Prompt Prompt, Generation Text)> texts, int index, (double Load, double FirstToken) started, JsonLineWriter lines, bool json, bool streamed, Terminal terminal)
    {
        (Prompt prompt, Generation text) = texts[index];
        if (json)
        {
            lines.Write(line =>
            {
                line.WriteString("prompt", prompt.Text);
                line.WriteString("text", text.Text);
                line.WriteString("finish", text.Finish is FinishReason.EndToken or FinishReason.StopString ? "stop" : "length");
                line.WriteNumber("prompt_tokens", text.PromptTokens);
                line.WriteNumber("tokens", text.Tokens.Length);
                line.WriteStartArray("ids");
                foreach (int id in text.Tokens)
                    line.WriteNumberValue(id);
                line.WriteEndArray();
                if (!text.Request.Sampling.IsGreedy)
                    line.WriteNumber("seed", text.Request.Sampling.Seed);
                line.WriteNumber("load_s", BenchReport.Digits(started.Load));
                // since the process began
                line.WriteNumber("first_token_s", BenchReport.Digits(started.FirstToken));
            });
        }
        else if (texts.Count == 1)
        {
            terminal.Out.WriteLine(streamed ? "" : text.Text);
        }
        else
        {
            terminal.Out.WriteLine($"[{index + 1}/{texts.Count}] {prompt.Text}");
            terminal.Out.WriteLine(text.Text);
            terminal.Out.WriteLine();
        }
        terminal.Out.Flush();
    }

    private static IReadOnlyList<PromptFile.Entry> Prompts(string? prompt, string? file, Terminal terminal)
    {
        if (prompt is not null && file is not null)
            throw new InputException("a PROMPT and --file were both given; one of them was expected");
        if (file is not null)
            return PromptFile.Read(file);
        if (prompt is null && terminal.IsTyped)
            throw new InputException("no prompt: give a PROMPT, --file FILE, or text on standard input");
        string text = prompt ?? terminal.In.ReadToEnd();
        return [new PromptFile.Entry(0, prompt is null && text.EndsWith('\n') ? text[..^1] : text, null)];
    }

    private static Prompt Encode(ModelPackage package, PromptFile.Entry entry, bool chat, string? system)
    {
        if (entry.Chat is null && !chat)
            return new Prompt(entry.Text!, package.Tokenizer.EncodeIds(entry.Text!), IsChat: false);
        if (package.ChatTemplates is not { } templates)
            throw new InputException($"{package.Files.Name}: has no chat template, as base models have none; give plain prompts and leave --chat away");
        ChatRequest request = entry.Chat is not null
            ? ChatLine.Read(entry.Chat, new Dictionary<string, TemplateValue>())
            : new ChatRequest { Messages = (JsonNode)Messages(system, entry.Text!) };
        string text = templates.Render(request with { AddGenerationPrompt = !request.ContinueFinalMessage }).Text;
        return new Prompt(text, package.Tokenizer.EncodeIds(text, addSpecial: false), IsChat: true);
    }

    private static JsonArray Messages(string? system, string text)
    {
        JsonArray messages = [];
        if (system is not null)
            messages.Add(new JsonObject { ["role"] = "system", ["content"] = system });
        messages.Add(new JsonObject { ["role"] = "user", ["content"] = text });
        return messages;
    }

    private readonly record struct Prompt(string Text, int[] Ids, bool IsChat);
}
