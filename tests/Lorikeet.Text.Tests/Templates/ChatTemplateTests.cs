using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lorikeet.Text.Tests;

public sealed class ChatTemplateTests
{
    private const string ChatMl =
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

    private static readonly JsonArray Conversation =
        [new JsonObject { ["role"] = "user", ["content"] = "Hi" }, new JsonObject { ["role"] = "assistant", ["content"] = "Hello, " }];

    [Fact]
    public void A_conversation_becomes_one_text()
    {
        ChatRequest request = new()
        {
            Messages = Conversation,
            AddGenerationPrompt = true,
            Variables = new Dictionary<string, TemplateValue> { ["eos_token"] = "</s>" },
        };
        ChatTemplate.Parse(ChatMl, "chatml").Render(request).Text.ShouldBe("<|user|>Hi</s>\n<|assistant|>Hello, </s>\n<|assistant|>");
    }

    [Fact]
    public void The_request_fills_the_variables_and_its_own_come_first()
    {
        ChatTemplate template = ChatTemplate.Parse("{{ messages|length }} {{ tools }} {{ documents }} {{ add_generation_prompt }} {{ x is defined }}", "test");
        template.Render(new ChatRequest { Messages = Conversation }).Text.ShouldBe("2 None None False False");
        template.Render(new ChatRequest
        {
            Messages = Conversation,
            Tools = TemplateValue.Parse("[1]"),
            Documents = TemplateValue.Parse("[2]"),
            AddGenerationPrompt = true,
            Variables = new Dictionary<string, TemplateValue> { ["documents"] = 5, ["x"] = 1.5 },
        }).Text.ShouldBe("2 [1] 5 True True");
    }

    [Fact]
    public void The_final_message_can_be_continued()
    {
        ChatRequest request = new() { Messages = Conversation, ContinueFinalMessage = true };
        ChatTemplate.Parse(ChatMl, "chatml").Render(request).Text.ShouldBe("<|user|>Hi\n<|assistant|>Hello, ");
        ChatTemplate.Parse(ChatMl.Replace("m.content", "m.content|trim", StringComparison.Ordinal), "trimming").Render(request).Text
            .ShouldBe("<|user|>Hi\n<|assistant|>Hello,");
    }

    [Fact]
    public void So_can_the_last_text_part_of_it()
    {
        ChatRequest request = new()
        {
            Messages = TemplateValue.Parse("""[{"role": "assistant", "content": [{"type": "text", "text": "One, "}, {"type": "text", "text": "two"}, {"type": "image"}]}]"""),
            ContinueFinalMessage = true,
        };
        ChatTemplate.Parse("{% for p in messages[0].content %}{{ p.text }}{% endfor %}!", "parts").Render(request).Text.ShouldBe("One, two");
    }

    [Theory]
    [InlineData("5", false, false, "messages must be a list")]
    [InlineData("[\"hi\"]", false, false, "messages[0] must be an object")]
    [InlineData("[]", false, true, "no message to continue")]
    [InlineData("[{\"role\": \"user\"}]", false, true, "no text to continue")]
    [InlineData("[{\"role\": \"user\", \"content\": null}]", false, true, "no text to continue")]
    [InlineData("[{\"role\": \"user\", \"content\": \"a\"}]", true, true, "contradict each other")]
    [InlineData("[{\"role\": \"user\", \"content\": \"a\"}]", false, true, "does not write the final message")]
    public void A_request_that_makes_no_sense_is_refused(string messages, bool addPrompt, bool goOn, string reason)
    {
        ChatRequest request = new() { Messages = TemplateValue.Parse(messages), AddGenerationPrompt = addPrompt, ContinueFinalMessage = goOn };
        TemplateException error = Should.Throw<TemplateException>(() => ChatTemplate.Parse("fixed", "test").Render(request));
        error.Kind.ShouldBe(TemplateErrorKind.Request);
        error.Reason.ShouldContain(reason);
        error.Line.ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"role": "a", "reasoning_content": "r"}""", "{'role': 'a', 'reasoning_content': 'r', 'thinking': 'r'}")]
    [InlineData("""{"role": "a", "thinking": "r"}""", "{'role': 'a', 'thinking': 'r', 'reasoning_content': 'r'}")]
    [InlineData("""{"role": "a", "reasoning": "r"}""", "{'role': 'a', 'reasoning': 'r', 'reasoning_content': 'r', 'thinking': 'r'}")]
    [InlineData("""{"role": "a", "reasoning_content": "r", "thinking": "t"}""", "{'role': 'a', 'reasoning_content': 'r', 'thinking': 't'}")]
    [InlineData("""{"role": "a"}""", "{'role': 'a'}")]
    public void Reasoning_is_known_by_every_name_that_templates_use(string message, string seen) =>
        ChatTemplate.Parse("{{ messages[0] }}", "test").Render(new ChatRequest { Messages = TemplateValue.Parse($"[{message}]") }).Text.ShouldBe(seen);

    [Fact]
    public void Values_come_from_json_nodes_as_from_json_text()
    {
        JsonObject node = new()
        {
            ["s"] = "text", ["i"] = 5, ["l"] = 5_000_000_000L, ["d"] = 2.5, ["m"] = 1.10m, ["b"] = true, ["n"] = null, ["a"] = new JsonArray(1, "x"),
            ["g"] = Guid.Empty, ["c"] = 'c',
        };
        TemplateValue fromNode = node, fromText = TemplateValue.Parse(node.ToJsonString()), fromParsed = JsonNode.Parse(node.ToJsonString());
        fromNode.ToString().ShouldBe("{'s': 'text', 'i': 5, 'l': 5000000000, 'd': 2.5, 'm': 1.1, 'b': True, 'n': None, 'a': [1, 'x'], "
            + "'g': '00000000-0000-0000-0000-000000000000', 'c': 'c'}");
        fromText.ToString().ShouldBe(fromNode.ToString());
        fromParsed.ToString().ShouldBe(fromNode.ToString());
        default(TemplateValue).IsNone.ShouldBeTrue();
        ((TemplateValue)(JsonNode?)null).IsNone.ShouldBeTrue();
        ((TemplateValue)default(JsonElement)).IsNone.ShouldBeTrue();
    }

    [Fact]
    public void Json_that_no_template_can_use_is_refused()
    {
        Should.Throw<ArgumentException>(() => TemplateValue.Parse("\"\\ud800\""));
        JsonNode deep = new JsonArray();
        for (int i = 0; i < 5000; i++)
            deep = new JsonArray(deep);
        Should.Throw<ArgumentException>(() => (TemplateValue)deep).Message.ShouldContain("nested");
        Should.Throw<JsonException>(() => TemplateValue.Parse("{"));
        Should.Throw<ArgumentException>(() => TemplateValue.Parse(new string('9', 10_000)));
    }

    [Fact]
    public void One_template_serves_many_threads_and_never_changes()
    {
        ChatTemplate template = ChatTemplate.Parse(
            "{% set ns = namespace(n=0) %}{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% for i in range(50) if i is odd %}{% set ns.n = ns.n + id %}"
            + "{{ twice(id) }}{{ loop.index }}{% endfor %}{{ ns.n }}", "test");
        ChatRequest[] requests = [.. Enumerable.Range(0, 8).Select(i => Jinja.Request($"{{\"id\": {i}}}"))];
        string[] expected = [.. requests.Select(r => template.Render(r).Text)];
        Thread[] threads = [.. requests.Select((request, i) => new Thread(() =>
        {
            for (int round = 0; round < 50; round++)
            {
                if (template.Render(request).Text != expected[i])
                    expected[i] = "changed";
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        expected.ShouldNotContain("changed");
        expected.Distinct().Count().ShouldBe(8);
    }

    [Fact]
    public void A_template_that_is_too_long_is_refused() =>
        Should.Throw<TemplateException>(() => ChatTemplate.Parse(new string('x', 2_000_000), "test")).Kind.ShouldBe(TemplateErrorKind.Syntax);
}
