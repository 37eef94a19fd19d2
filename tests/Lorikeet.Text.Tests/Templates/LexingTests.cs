namespace Lorikeet.Text.Tests;

public sealed class LexingTests
{
    [Theory]
    [InlineData("{% if true %}\nx{% endif %}", "x")]
    [InlineData("{% if true %}\n\nx{% endif %}", "\nx")]
    [InlineData("{% if true +%}\nx{% endif %}", "\nx")]
    [InlineData("{# note #}\nx", "x")]
    [InlineData("{{ 1 }}\nx", "1\nx")]
    [InlineData("a {% if true %} b{% endif %}", "a  b")]
    public void The_newline_after_a_block_or_comment_goes_and_that_after_a_value_stays(string source, string text) =>
        Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("a\n   {% if true %}b{% endif %}", "a\nb")]
    [InlineData("   {% if true %}b{% endif %}", "b")]
    [InlineData("a\n  x {% if true %}b{% endif %}", "a\n  x b")]
    [InlineData("a\n   {%+ if true %}b{% endif %}", "a\n   b")]
    [InlineData("a\n   {{ 1 }}", "a\n   1")]
    [InlineData("a\n   {# note #}b", "a\nb")]
    [InlineData("{{ 1 }}   {% if true %}b{% endif %}", "1   b")]
    [InlineData("{% if true %}\n   {% endif %}b", "b")]
    [InlineData("{% if true %}   {% endif %}b", "   b")]
    public void Blanks_before_a_block_go_when_nothing_else_stands_before_them_on_the_line(string source, string text) =>
        Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("a \n {{- 1 -}} \n b", "a1b")]
    [InlineData("a \n {%- if true -%} \n b \n {%- endif -%} \n c", "abc")]
    [InlineData("a \n {#- note -#} \n b", "ab")]
    [InlineData("a\u00a0\u2003{{- 1 }}", "a1")]
    [InlineData("{{ -1 -}} x", "-1x")]
    public void A_minus_takes_all_white_space_on_its_side(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("a\n", "a")]
    [InlineData("a\n\n", "a\n")]
    [InlineData("a\r\n", "a")]
    [InlineData("a\r\nb\rc", "a\nb\nc")]
    [InlineData("", "")]
    public void Newlines_are_all_of_one_kind_and_the_very_last_goes(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("{% raw %}{{ x }}{% y %}{# z #}{% endraw %}", "{{ x }}{% y %}{# z #}")]
    [InlineData("a {%- raw -%} b {%- endraw -%} c", "abc")]
    [InlineData("{% raw %}\nb\n{% endraw %}\nc", "\nb\nc")]
    public void Raw_blocks_are_copied(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("{#a#}{##}{#-#}{#--#}b", "b")]
    [InlineData("{# {{ x }} {% if %} #}b", "b")]
    [InlineData("{ x } { { % }", "{ x } { { % }")]
    [InlineData("{{ '}}' }}{{ \"{%\" }}", "}}{%")]
    [InlineData("{{ {'a': {'b': 1}} }}", "{'a': {'b': 1}}")]
    public void Only_tags_are_tags(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("'a' \"b\" 'c'", "abc")]
    [InlineData(@"'\n\t\\\'\x41\u00e9\U0001F600\101\0'", "\n\t\\'Aé😀A\0")]
    [InlineData(@"'\d\/'", @"\d\/")]
    [InlineData("'a\\\nb'", "ab")]
    [InlineData("\"it's\"", "it's")]
    [InlineData("''", "")]
    public void Strings_have_the_escapes_of_Python(string literal, string text) => Jinja.Render("{{ " + literal + " }}").ShouldBe(text);

    [Theory]
    [InlineData("1_000", "1000")]
    [InlineData("0x1F", "31")]
    [InlineData("0b101", "5")]
    [InlineData("0o17", "15")]
    [InlineData("00", "0")]
    [InlineData("1.5", "1.5")]
    [InlineData("1e3", "1000.0")]
    [InlineData("2.5E-7", "2.5e-07")]
    [InlineData("1_0.2_5", "10.25")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("[[1, 2], 3].0.1", "2")]
    public void Numbers_are_written_as_in_Python(string literal, string text) => Jinja.Render("{{ " + literal + " }}").ShouldBe(text);

    [Theory]
    [InlineData("a\n{{ 1", 2)]
    [InlineData("{{ 'abc }}", 1)]
    [InlineData("{{ 007 }}", 1)]
    [InlineData("{{ 1 ! 2 }}", 1)]
    [InlineData("{{ (1] }}", 1)]
    [InlineData("{{ 1) }}", 1)]
    [InlineData("{{ '\\xZZ' }}", 1)]
    [InlineData("a\n\n{# b", 3)]
    [InlineData("a\n{% raw %} b", 2)]
    [InlineData("{{ }}", 1)]
    [InlineData("{% %}", 1)]
    [InlineData("x\n\n{% fi %}", 3)]
    [InlineData("{% if x %}\n\n", 1)]
    [InlineData("{% if true %}{% endfor %}", 1)]
    [InlineData("{% endif %}", 1)]
    [InlineData("{{ a b }}", 1)]
    [InlineData("{{ a.'b' }}", 1)]
    [InlineData("{{ f(a=1, 2) }}", 1)]
    [InlineData("{{ f(a=1, a=2) }}", 1)]
    [InlineData("{{ x is string is mapping }}", 1)]
    [InlineData("{% set true = 1 %}", 1)]
    [InlineData("{% set f() = 1 %}", 1)]
    [InlineData("{% for x in %}{% endfor %}", 1)]
    [InlineData("{% macro f(a=1, b) %}{% endmacro %}", 1)]
    [InlineData("{% macro f(a, a) %}{% endmacro %}", 1)]
    [InlineData("{% call 1 %}{% endcall %}", 1)]
    [InlineData("{% break %}", 1)]
    [InlineData("{% for x in y %}{% macro m() %}{% continue %}{% endmacro %}{% endfor %}", 1)]
    [InlineData("{% for x in y %}{% set loop = 1 %}{% endfor %}", 1)]
    public void What_is_no_template_is_an_error_of_a_line(string source, int line)
    {
        TemplateException error = Jinja.Fails(source);
        error.Kind.ShouldBe(TemplateErrorKind.Syntax);
        if (source.StartsWith("{% if x %}", StringComparison.Ordinal))
            error.Reason.ShouldContain("line 1");
        else
            error.Line.ShouldBe(line);
        error.Message.ShouldStartWith("test, line ");
    }

    [Fact]
    public void An_error_says_what_was_expected_and_found()
    {
        Jinja.Fails("{{ a b }}").Reason.ShouldBe("expected token 'end of print statement', got 'b'");
        Jinja.Fails("{% if a %}{% else %}").Reason.ShouldContain("'if'");
        Jinja.Fails("{% for %}").Reason.ShouldContain("can't assign to");
        Jinja.Fails("{{ x|nosuch }}").Reason.ShouldBe("No filter named 'nosuch'.");
        Jinja.Fails("{{ x is nosuch }}").Reason.ShouldBe("No test named 'nosuch'.");
    }

    [Fact]
    public void An_unknown_filter_inside_a_condition_is_an_error_only_where_it_is_reached()
    {
        Jinja.Render("{% if false %}{{ 1|nosuch }}{% endif %}ok").ShouldBe("ok");
        Jinja.Render("{{ 1|nosuch if false else 'ok' }}").ShouldBe("ok");
        TemplateException error = Jinja.Fails("{% if true %}\n{{ 1|nosuch }}{% endif %}");
        error.Kind.ShouldBe(TemplateErrorKind.Runtime);
        error.Reason.ShouldBe("No filter named 'nosuch' found.");
        error.Line.ShouldBe(2);
        Jinja.Fails("{% if false %}{% for x in [] %}{{ x|nosuch }}{% endfor %}{% endif %}").Kind.ShouldBe(TemplateErrorKind.Syntax);
    }
}
