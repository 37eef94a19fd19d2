using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Text;

namespace Lorikeet.Training.Tests;

public sealed class ExampleEncoderTests
{
    private static readonly Tokenizer Bytes = ByteTokenizer.Create();
    private static readonly Func<ChatRequest, RenderedChat> ChatMl = Template("""
        {%- for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor -%}
        {%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif -%}
        """);
    private static readonly Func<ChatRequest, RenderedChat> Marked = Template("""
        {%- for m in messages -%}
        {{- '<|im_start|>' + m.role + '\n' -}}
        {%- if m.role == 'assistant' %}{% generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}{% else %}{{ m.content + '<|im_end|>' }}{% endif -%}
        {{- '\n' -}}
        {%- endfor -%}
        """);
    private static readonly RowOrigin Origin = new("rows.jsonl", 7);

    [Fact]
    public void Prompt_and_completion_are_cut_apart_and_only_the_completion_counts()
    {
        TrainingExample example = Encode(new PromptRow(Origin, "ab", " c"));
        example.Ids.ShouldBe([ByteTokenizer.Begin, 'a', 'b', ' ', 'c', ByteTokenizer.End]);
        example.Labels.ShouldBe([-100, -100, -100, ' ', 'c', ByteTokenizer.End]);
        example.Targets.ShouldBe(3);
        Encode(new PromptRow(Origin, "ab", " c"), LossOn.All).Labels.ShouldBe(example.Ids);
    }

    [Fact]
    public void Running_text_counts_as_a_whole()
    {
        TrainingExample example = Encode(new TextRow(Origin, "é"));
        example.Ids.ShouldBe([ByteTokenizer.Begin, 0xC3, 0xA9, ByteTokenizer.End]);
        example.Labels.ShouldBe(example.Ids);
        Encode(new TextRow(Origin, "")).Targets.ShouldBe(0);
    }

    [Fact]
    public void Each_turn_of_the_assistant_counts_through_its_end_token()
    {
        ChatRow chat = Chat("system: S", "user: A", "assistant: B", "user: C", "assistant: D");
        Learned(Encode(chat, LossOn.Assistant)).ShouldBe(["B<|im_end|>", "D<|im_end|>"]);
        Learned(Encode(chat, null)).ShouldBe(["B<|im_end|>", "D<|im_end|>"]);
        Learned(Encode(chat, LossOn.Completion)).ShouldBe(["D<|im_end|>"]);
        Learned(Encode(chat, LossOn.All)).ShouldHaveSingleItem().ShouldBe(ChatMl(new ChatRequest { Messages = chat.Messages }).Text);
        Learned(Encode(chat with { Given = 3 }, null)).ShouldBe(["D<|im_end|>"]);
    }

    [Fact]
    public void A_turn_with_weight_zero_does_not_count()
    {
        ChatRow chat = Chat("user: A", "assistant: B", "user: C", "assistant: D");
        chat.Messages[1]!["weight"] = 0;
        Learned(Encode(chat, null)).ShouldBe(["D<|im_end|>"]);
        Learned(Encode(chat, null, Marked)).ShouldBe(["D<|im_end|>"]);
    }

    [Fact]
    public void Marks_of_the_template_are_believed()
    {
        ChatRow chat = Chat("user: A", "assistant: B", "user: C", "assistant: D");
        Learned(Encode(chat, null, Marked)).ShouldBe(["B<|im_end|>", "D<|im_end|>"]);
        Learned(Encode(chat, LossOn.Completion, Marked)).ShouldBe(["D<|im_end|>"]);
    }

    [Fact]
    public void Several_messages_of_the_assistant_in_a_row_count_each()
    {
        ChatRow chat = Chat("user: A", "assistant: call", "tool: R", "assistant: D");
        Learned(Encode(chat, null)).ShouldBe(["call<|im_end|>", "D<|im_end|>"]);
    }

    [Fact]
    public void A_template_that_shortens_earlier_turns_is_still_understood()
    {
        // as Qwen3: what was thought is shown in the last turn only
        Func<ChatRequest, RenderedChat> thinking = Template("""
            {%- set ns = namespace(last=0) -%}
            {%- for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor -%}
            {%- for m in messages -%}
            {{- '<|im_start|>' + m.role + '\n' -}}
            {%- if m.role == 'assistant' and loop.index0 > ns.last %}{{ '<think>\n\n</think>\n\n' }}{% endif -%}
            {{- m.content + '<|im_end|>\n' -}}
            {%- endfor -%}
            {%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif -%}
            """);
        ChatRow chat = Chat("user: A", "assistant: B", "user: C", "assistant: D");
        Learned(Encode(chat, null, thinking)).ShouldBe(["B<|im_end|>", "<think>\n\n</think>\n\nD<|im_end|>"]);
        // x and z at the ends of what is said must not hide where it ends
        Learned(Encode(Chat("user: x", "assistant: x is z", "user: z", "assistant: y"), null, thinking)).ShouldBe(["x is z<|im_end|>", "<think>\n\n</think>\n\ny<|im_end|>"]);
    }

    [Fact]
    public void A_template_that_ends_the_whole_conversation_with_one_more_token_is_still_understood()
    {
        // as Phi-3.5
        Func<ChatRequest, RenderedChat> closing = Template("""
            {%- for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor -%}
            {%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% else %}{{ '</s>' }}{% endif -%}
            """);
        Learned(Encode(Chat("user: A", "assistant: B", "user: C", "assistant: D"), null, closing)).ShouldBe(["B<|im_end|>", "D<|im_end|>\n</s>"]);
    }

    [Fact]
    public void A_template_whose_turns_cannot_be_told_apart_is_refused()
    {
        Func<ChatRequest, RenderedChat> counting = Template("[{{ messages | length }} messages] {{ messages | map(attribute='content') | join(' ') }}");
        ProblemList problems = new();
        new ExampleEncoder(Bytes, counting, ByteTokenizer.End, null).Encode(Chat("user: A", "assistant: B"), problems).ShouldBeNull();
        problems.Lines.ShouldHaveSingleItem().ShouldBe(
            "rows.jsonl:7: the template writes the conversation as '[1 messages] A' when the assistant is to answer with message 2, but as '[2 messages] A B' in the whole (from character 2), so what "
            + "the assistant says cannot be told from the rest. Give model.chat_template a template that marks it with {% generation %}, or learn everything (loss_on: all).");
        Encode(Chat("user: A", "assistant: B"), LossOn.All, counting).Targets.ShouldBe("[2 messages] A B".Length - 1);
    }

    [Fact]
    public void Rows_that_do_not_fit_what_is_learned_are_refused()
    {
        Refused(new TextRow(Origin, "x"), LossOn.Completion).ShouldContain("rows.jsonl:7: found running text, which has no completion");
        Refused(new PromptRow(Origin, "x", "y"), LossOn.Assistant).ShouldContain("which have no assistant");
        ProblemList problems = new();
        new ExampleEncoder(Bytes, null, 0, null).Encode(Chat("user: A", "assistant: B"), problems).ShouldBeNull();
        problems.Lines[0].ShouldContain("the model has no chat template");
    }

    [Fact]
    public void What_a_template_refuses_is_a_problem_of_the_row()
    {
        ProblemList problems = new();
        new ExampleEncoder(Bytes, Template("{{ raise_exception('Roles must alternate.') }}"), ByteTokenizer.End, null).Encode(Chat("user: A", "assistant: B"), problems).ShouldBeNull();
        problems.Lines.ShouldHaveSingleItem().ShouldBe("rows.jsonl:7: test, line 1: the template refuses this conversation: Roles must alternate.");
    }

    [Fact]
    public void Real_templates_are_understood_or_refused_and_never_misread()
    {
        string folder = GoldenData.Path("chat-templates", "templates");
        Dictionary<string, TemplateValue> tokens = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>" };
        int understood = 0;
        List<string> refused = [];
        foreach (string file in Directory.GetFiles(folder, "*.jinja").Order(StringComparer.Ordinal))
        {
            ChatTemplate template = ChatTemplate.Parse(File.ReadAllText(file), Path.GetFileNameWithoutExtension(file));
            ExampleEncoder encoder = new(Bytes, request => template.Render(request with { Variables = tokens }), ByteTokenizer.End, null);
            ProblemList problems = new();
            if (encoder.Encode(Chat("user: first question", "assistant: first answer", "user: second question", "assistant: second answer"), problems) is not { } example)
            {
                refused.Add(problems.Lines[0]);
                continue;
            }
            understood++;
            string[] learned = [.. Learned(example)];
            learned.Length.ShouldBe(2, template.Name);
            learned[0].ShouldContain("first answer", customMessage: template.Name);
            learned[1].ShouldContain("second answer", customMessage: template.Name);
            learned.ShouldAllBe(part => !part.Contains("question"), template.Name);
        }
        // refused: templates that need other variables, and those whose beginning of an answer is not how their answers begin (thoughts)
        (understood, refused.Count).ShouldBe((33, 19), string.Join('\n', refused));
    }

    [Fact]
    public void Questions_are_what_the_model_is_given()
    {
        ExampleEncoder encoder = new(Bytes, ChatMl, ByteTokenizer.End, null);
        (string prompt, int[] ids, string answer) = encoder.Question(new PromptRow(Origin, "ab", " c"))!.Value;
        (prompt, answer).ShouldBe(("ab", " c"));
        ids.ShouldBe([ByteTokenizer.Begin, 'a', 'b']);
        (prompt, ids, answer) = encoder.Question(Chat("user: A", "assistant: B", "user: C", "assistant: D"))!.Value;
        prompt.ShouldEndWith("user\nC<|im_end|>\n<|im_start|>assistant\n");
        answer.ShouldBe("D");
        ids[0].ShouldBe(ByteTokenizer.TurnStart);
        encoder.Question(new TextRow(Origin, "x")).ShouldBeNull();
    }

    [Fact]
    public void Masks_of_marked_templates_are_those_of_the_reference()
    {
        Tokenizer tokenizer = Tokenizer.Load(GoldenData.Shared("tok-smollm2"));
        JsonElement golden = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("chat-templates", "generation_masks.json"))).RootElement;
        int cases = 0;
        foreach (JsonElement @case in golden.GetProperty("cases").EnumerateArray())
        {
            string text = @case.GetProperty("text").GetString()!;
            int[] units = [.. CodePoints(text)];
            TokenizedText tokens = tokenizer.Encode(text, addSpecial: false);
            ChatTemplate template = ChatTemplate.Parse(golden.GetProperty("templates").GetProperty(@case.GetProperty("template").GetString()!).GetString()!, "golden");
            JsonArray messages = JsonNode.Parse(@case.GetProperty("messages").GetRawText())!.AsArray();
            Dictionary<string, TemplateValue> special = new() { ["bos_token"] = "<|im_start|>", ["eos_token"] = "<|im_end|>" };
            TrainingExample whole = new ExampleEncoder(tokenizer, request => template.Render(request with { Variables = special }), 2, null)
                .Encode(new ChatRow(Origin, messages, null, 0), new ProblemList())!;
            tokens.Ids.ShouldBe(@case.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()));
            int[] labels = ExampleEncoder.Labels(tokens, [.. @case.GetProperty("spans").EnumerateArray().Select(span => (units[span[0].GetInt32()], units[span[1].GetInt32()]))]);
            labels.Select(label => label == -100 ? 0 : 1).ShouldBe(@case.GetProperty("assistant_masks").EnumerateArray().Select(bit => bit.GetInt32()), text);
            whole.Ids.ShouldBe(tokens.Ids);
            whole.Labels.ShouldBe(labels);
            cases++;
        }
        cases.ShouldBe(12);
    }

    // where each code point begins in UTF-16, and the end
    private static IEnumerable<int> CodePoints(string text)
    {
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            yield return at;
            at += rune.Utf16SequenceLength;
        }
        yield return at;
    }

    private static Func<ChatRequest, RenderedChat> Template(string source) => ChatTemplate.Parse(source, "test").Render;

    private static ChatRow Chat(params string[] messages) => new(Origin, [.. messages.Select(message => (JsonNode)new JsonObject
    {
        ["role"] = message.Split(": ")[0], ["content"] = message.Split(": ")[1],
    })], null, 0);

    private static TrainingExample Encode(DataRow row, LossOn? lossOn = null, Func<ChatRequest, RenderedChat>? render = null)
    {
        ProblemList problems = new();
        TrainingExample? example = new ExampleEncoder(Bytes, render ?? ChatMl, ByteTokenizer.End, lossOn).Encode(row, problems);
        problems.Lines.ShouldBeEmpty();
        return example!;
    }

    private static string Refused(DataRow row, LossOn lossOn)
    {
        ProblemList problems = new();
        new ExampleEncoder(Bytes, ChatMl, ByteTokenizer.End, lossOn).Encode(row, problems).ShouldBeNull();
        return problems.Lines.ShouldHaveSingleItem();
    }

    private static IEnumerable<string> Learned(TrainingExample example) =>
        new ExampleEncoder(Bytes, null, ByteTokenizer.End, null).Preview(example).Where(part => part.Counts).Select(part => part.Text);
}
