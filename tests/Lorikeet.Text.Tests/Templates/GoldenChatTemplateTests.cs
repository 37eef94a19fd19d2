using System.Text.Json;

namespace Lorikeet.Text.Tests;

public sealed class GoldenChatTemplateTests
{
    public static TheoryData<string> Templates => [.. GoldenChatTemplates.Templates];

    [Theory]
    [MemberData(nameof(Templates))]
    public void Every_conversation_renders_as_transformers_renders_it(string file)
    {
        ChatTemplate template = GoldenChatTemplates.Template(file);
        JsonElement expected = GoldenChatTemplates.Expected(file);
        foreach (string conversation in GoldenChatTemplates.ConversationNames)
        {
            JsonElement want = expected.GetProperty(conversation);
            ChatRequest request = GoldenChatTemplates.Request(conversation);
            if (want.TryGetProperty("text", out JsonElement text))
            {
                template.Render(request).Text.ShouldBe(text.GetString(), conversation);
                continue;
            }
            TemplateException error = Should.Throw<TemplateException>(() => template.Render(request), conversation);
            error.Reason.ShouldBe(want.GetProperty("message").GetString(), conversation);
            error.Kind.ShouldBe(Kind(want.GetProperty("error").GetString()!), conversation);
            error.Line.ShouldBeInRange(1, template.Source.Count(c => c == '\n') + 1);
        }
    }

    [Fact]
    public void Generation_spans_cover_what_the_reference_marks()
    {
        JsonElement golden = GoldenChatTemplates.Read("generation_masks.json");
        foreach (JsonElement c in golden.GetProperty("cases").EnumerateArray())
        {
            string name = c.GetProperty("template").GetString()!;
            ChatTemplate template = ChatTemplate.Parse(golden.GetProperty("templates").GetProperty(name).GetString()!, name);
            RenderedChat chat = template.Render(new ChatRequest
            {
                Messages = c.GetProperty("messages"),
                Variables = new Dictionary<string, TemplateValue>
                {
                    ["bos_token"] = golden.GetProperty("bos_token").GetString(),
                    ["eos_token"] = golden.GetProperty("eos_token").GetString(),
                },
            });
            chat.Text.ShouldBe(c.GetProperty("text").GetString());
            chat.HasUnplacedGeneration.ShouldBeFalse();
            int[][] spans = [.. chat.GenerationSpans.Select(s => new[] { CodePointsBefore(chat.Text, s.Start), CodePointsBefore(chat.Text, s.End) })];
            spans.ShouldBe(c.GetProperty("spans").EnumerateArray().Select(s => s.EnumerateArray().Select(n => n.GetInt32()).ToArray()), name);
        }
    }

    private static int CodePointsBefore(string text, int position) => text[..position].EnumerateRunes().Count();

    private static TemplateErrorKind Kind(string error) => error switch
    {
        "TypeError" => TemplateErrorKind.Type,
        "UndefinedError" => TemplateErrorKind.Undefined,
        "SecurityError" => TemplateErrorKind.Security,
        "TemplateRuntimeError" => TemplateErrorKind.Runtime,
        "raise_exception" => TemplateErrorKind.Raised,
        _ => throw new ArgumentException(error),
    };
}
