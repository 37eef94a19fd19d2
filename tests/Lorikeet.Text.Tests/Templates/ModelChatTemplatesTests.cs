namespace Lorikeet.Text.Tests;

public sealed class ModelChatTemplatesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-templates-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_base_model_has_no_template()
    {
        ChatTemplate.FromModelFolder(_folder).ShouldBeNull();
        Write("tokenizer_config.json", """{"bos_token": "<s>", "chat_template": null}""");
        ChatTemplate.FromModelFolder(_folder).ShouldBeNull();
        Should.Throw<DirectoryNotFoundException>(() => ChatTemplate.FromModelFolder(Path.Combine(_folder, "nope")));
    }

    [Fact]
    public void The_template_in_tokenizer_config_comes_with_the_special_tokens()
    {
        Write("tokenizer_config.json", """
            {"chat_template": "{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}{{ add_bos_token is defined }}{{ additional_special_tokens }}{{ image_token }}",
             "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null, "add_bos_token": true,
             "additional_special_tokens": ["<a>", {"content": "<b>"}], "extra_special_tokens": {"image_token": "<img>"}}
            """);
        ModelChatTemplates model = ChatTemplate.FromModelFolder(_folder)!;
        model.Render(Jinja.Request("{}")).Text.ShouldBe("<s></s>FalseFalse['<a>', '<b>']<img>");
        model.Render(Jinja.Request("""{"bos_token": "[mine]"}""")).Text.ShouldStartWith("[mine]</s>");
        model.Variables.BosToken.ShouldBe("<s>");
        model.Variables.EosToken.ShouldBe("</s>");
        model.Variables.PadToken.ShouldBeNull();
        model.Variables.UnkToken.ShouldBeNull();
    }

    [Fact]
    public void Special_tokens_map_fills_what_tokenizer_config_leaves_open()
    {
        Write("chat_template.jinja", "{{ bos_token }}{{ eos_token }}");
        Write("special_tokens_map.json", """{"bos_token": "<map>", "eos_token": {"content": "<end>"}}""");
        Write("tokenizer_config.json", """{"bos_token": "<config>"}""");
        ChatTemplate.FromModelFolder(_folder)!.Render(Jinja.Request("{}")).Text.ShouldBe("<config><end>");
    }

    [Fact]
    public void A_file_of_its_own_comes_before_json()
    {
        Write("tokenizer_config.json", """{"chat_template": "config"}""");
        ChatTemplate.FromModelFolder(_folder)!.Render(Jinja.Request("{}")).Text.ShouldBe("config");
        Write("chat_template.json", """{"chat_template": "json"}""");
        ChatTemplate.FromModelFolder(_folder)!.Render(Jinja.Request("{}")).Text.ShouldBe("json");
        Write("chat_template.jinja", "\ufeffjinja\n");
        ChatTemplate.FromModelFolder(_folder)!.Render(Jinja.Request("{}")).Text.ShouldBe("jinja");
    }

    [Theory]
    [InlineData("""{"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]}""")]
    [InlineData("""{"chat_template": {"default": "plain", "tool_use": "tools"}}""")]
    public void With_several_templates_the_one_for_tools_is_used_when_there_are_tools(string config)
    {
        Write("tokenizer_config.json", config);
        Several();
    }

    [Fact]
    public void Several_templates_can_lie_in_files()
    {
        Write("chat_template.jinja", "plain");
        Directory.CreateDirectory(Path.Combine(_folder, "additional_chat_templates"));
        Write(Path.Combine("additional_chat_templates", "tool_use.jinja"), "tools");
        Several();
    }

    [Fact]
    public void Without_a_default_among_several_one_must_be_named()
    {
        Write("tokenizer_config.json", """{"chat_template": {"a": "1", "b": "2"}}""");
        ModelChatTemplates model = ChatTemplate.FromModelFolder(_folder)!;
        Should.Throw<TemplateException>(() => model.Render(Jinja.Request("{}"))).Reason.ShouldContain("a, b");
        model.Templates["b"].Render(Jinja.Request("{}")).Text.ShouldBe("2");
        Write("tokenizer_config.json", """{"chat_template": {"only": "1"}}""");
        ChatTemplate.FromModelFolder(_folder)!.Render(Jinja.Request("{}")).Text.ShouldBe("1");
    }

    [Theory]
    [InlineData("tokenizer_config.json", "{\"chat_template\": \"x\",\n nope}", "not JSON", 2)]
    [InlineData("tokenizer_config.json", "{\"chat_template\": 5}", "expected a string", 0)]
    [InlineData("tokenizer_config.json", "{\"chat_template\": [{\"name\": \"a\"}]}", "\"template\"", 0)]
    [InlineData("tokenizer_config.json", "{\"chat_template\": [5]}", "\"template\"", 0)]
    [InlineData("tokenizer_config.json", "{\"chat_template\": {\"a\": 5}}", "'a'", 0)]
    [InlineData("tokenizer_config.json", "{\"chat_template\": {\"a\": \"x\\n{% if %}\"}}", "Expected an expression", 2)]
    [InlineData("chat_template.jinja", "x\n{{ ", "unexpected", 2)]
    [InlineData("chat_template.json", "[]]", "not JSON", 1)]
    public void A_broken_file_is_named_with_its_line(string file, string content, string reason, int line)
    {
        Write(file, content);
        TemplateException error = Should.Throw<TemplateException>(() => ChatTemplate.FromModelFolder(_folder));
        error.Reason.ShouldContain(reason, Case.Insensitive);
        error.TemplateName.ShouldContain(Path.Combine(_folder, file));
        error.Line.ShouldBe(line);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        File.WriteAllBytes(Path.Combine(_folder, "chat_template.jinja"), [0x41, 0xff, 0xfe, 0x42]);
        Should.Throw<TemplateException>(() => ChatTemplate.FromModelFolder(_folder)).Reason.ShouldContain("UTF-8");
    }

    [Fact]
    public void A_real_tokenizer_config_is_read()
    {
        string config = GoldenData.Shared("tok-qwen3", "tokenizer_config.json");
        ModelChatTemplates model = ChatTemplate.FromModelFolder(Path.GetDirectoryName(config)!)!;
        model.Variables.EosToken.ShouldBe("<|im_end|>");
        model.Render(GoldenChatTemplates.Request("single") with { Variables = new Dictionary<string, TemplateValue>() }).Text
            .ShouldBe("<|im_start|>user\nHello, who are you?<|im_end|>\n<|im_start|>assistant\n");
    }

    private void Several()
    {
        ModelChatTemplates model = ChatTemplate.FromModelFolder(_folder)!;
        model.Templates.Keys.ShouldBe(["default", "tool_use"], ignoreOrder: true);
        model.Render(Jinja.Request("{}")).Text.ShouldBe("plain");
        model.Render(Jinja.Request("{}") with { Tools = TemplateValue.Parse("[]") }).Text.ShouldBe("tools");
    }

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(_folder, name), content);
}
