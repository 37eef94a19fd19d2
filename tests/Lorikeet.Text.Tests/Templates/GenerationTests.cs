namespace Lorikeet.Text.Tests;

public sealed class GenerationTests
{
    [Theory]
    [InlineData("a{% generation %}b{% endgeneration %}c", "abc", "b")]
    [InlineData("{% for x in '12' %}-{% generation %}{{ x }}{% endgeneration %}{% endfor %}", "-1-2", "1 2")]
    [InlineData("{% generation %}{% endgeneration %}x", "x", "")]
    [InlineData("a{% generation -%}  b  {%- endgeneration %}c", "abc", "b")]
    [InlineData("{% generation %}a{% generation %}b{% endgeneration %}c{% endgeneration %}", "abc", "b abc")]
    [InlineData("{% macro m(x) %}<{% generation %}{{ x }}{% endgeneration %}>{% endmacro %}y{{ m(1) }}{{ m(2) }}", "y<1><2>", "1 2")]
    [InlineData("{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}[{% generation %}g{% endgeneration %}]{% endcall %}", "([g])", "g")]
    [InlineData("{% set s %}<{% generation %}g{% endgeneration %}>{% endset %}x{{ s }}{{ s }}", "x<g><g>", "g g")]
    [InlineData("{% macro m() %}{% generation %}g{% endgeneration %}{% endmacro %}{{ 'a' + m() + 'b' }}", "agb", "g")]
    [InlineData("{% for x in [1] recursive %}a{% generation %}b{% endgeneration %}{% endfor %}", "ab", "b")]
    public void Spans_lie_around_what_the_model_writes(string source, string text, string spans)
    {
        RenderedChat chat = ChatTemplate.Parse(source, "test").Render(Jinja.Request("{}"));
        chat.Text.ShouldBe(text);
        string.Join(' ', chat.GenerationSpans.Select(s => chat.Text[s.Start..s.End])).ShouldBe(spans);
        chat.HasUnplacedGeneration.ShouldBeFalse();
    }

    [Theory]
    [InlineData("{% filter upper %}{% generation %}g{% endgeneration %}{% endfilter %}", "G")]
    [InlineData("{% macro m() %}{% generation %}g{% endgeneration %}{% endmacro %}{{ m() ~ '!' }}", "g!")]
    public void Where_the_place_of_a_generation_is_lost_the_chat_says_so(string source, string text)
    {
        RenderedChat chat = ChatTemplate.Parse(source, "test").Render(Jinja.Request("{}"));
        chat.Text.ShouldBe(text);
        chat.HasUnplacedGeneration.ShouldBeTrue();
    }

    [Fact]
    public void Spans_end_where_a_continued_message_ends()
    {
        ChatRequest request = new()
        {
            Messages = TemplateValue.Parse("""[{"role": "user", "content": "q"}, {"role": "assistant", "content": "abc"}]"""),
            ContinueFinalMessage = true,
        };
        ChatTemplate template = ChatTemplate.Parse("{% for m in messages %}{% generation %}{{ m.content }};{% endgeneration %}{% endfor %}", "test");
        template.Render(request).GenerationSpans.ShouldBe([(0, 2), (2, 5)]);
    }
}
