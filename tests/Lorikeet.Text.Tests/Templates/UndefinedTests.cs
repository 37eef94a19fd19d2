namespace Lorikeet.Text.Tests;

public sealed class UndefinedTests
{
    [Theory]
    [InlineData("{{ nope }}", "")]
    [InlineData("{{ nope is defined }}", "False")]
    [InlineData("{{ nope|default('d') }}", "d")]
    [InlineData("{{ ''|default('d') }}", "")]
    [InlineData("{{ ''|default('d', true) }}", "d")]
    [InlineData("{{ none|default('d') }}", "None")]
    [InlineData("{% for x in nope %}a{% else %}b{% endfor %}", "b")]
    [InlineData("{{ nope|length }}", "0")]
    [InlineData("{{ 'a' ~ nope ~ 'b' }}", "ab")]
    [InlineData("{{ [nope] }}", "[Undefined]")]
    [InlineData("{{ nope|join(',') }}", "")]
    [InlineData("{{ m.a }}", "")]
    [InlineData("{{ [].0 }}", "")]
    [InlineData("{{ none.a }}", "")]
    public void What_does_not_exist_prints_as_nothing(string source, string text) => Jinja.Render(source, "{\"m\": {}}").ShouldBe(text);

    [Theory]
    [InlineData("nope.a", "'nope' is undefined")]
    [InlineData("nope['a']", "'nope' is undefined")]
    [InlineData("nope()", "'nope' is undefined")]
    [InlineData("nope + 1", "'nope' is undefined")]
    [InlineData("'a' + nope", "'nope' is undefined")]
    [InlineData("nope < 1", "'nope' is undefined")]
    [InlineData("-nope", "'nope' is undefined")]
    [InlineData("nope|int", "'nope' is undefined")]
    [InlineData("m.a.b", "'dict object' has no attribute 'a'")]
    [InlineData("m['a'].b", "'dict object' has no attribute 'a'")]
    [InlineData("[].0.b", "list object has no element 0")]
    [InlineData("none.a.b", "'None' has no attribute 'a'")]
    [InlineData("none[0].b", "None has no element 0")]
    [InlineData("'s'.a.b", "'str object' has no attribute 'a'")]
    [InlineData("1['a'].b", "'int object' has no attribute 'a'")]
    [InlineData("m.get('a').b.c", "'None' has no attribute 'b'")]
    [InlineData("'s'.strip().nope()", "'str object' has no attribute 'nope'")]
    [InlineData("namespace().a.b", "'jinja2.utils.Namespace object' has no attribute 'a'")]
    [InlineData("([]|first).a", "No first item, sequence was empty.")]
    [InlineData("('a' if false).b", "the inline if-expression on line 1 evaluated to false and no else section was defined.")]
    public void Anything_asked_of_it_fails_and_says_what_is_missing(string expression, string reason)
    {
        TemplateException error = Jinja.Fails("{{ " + expression + " }}", "{\"m\": {}}");
        error.Kind.ShouldBe(TemplateErrorKind.Undefined);
        error.Reason.ShouldBe(reason);
    }

    [Fact]
    public void The_error_names_the_line_of_the_expression()
    {
        Jinja.Fails("a\n{% if true %}\n  {{ 'x' }}\n  {{ nope.a }}\n{% endif %}").Line.ShouldBe(4);
        Jinja.Fails("{% macro m(x) %}\n\n{{ x.a.b }}{% endmacro %}\n\n{{ m({}) }}").Line.ShouldBe(3);
        Jinja.Fails("{% macro m() %}\n\n{% endmacro %}\n\n{{ m() + none }}").Line.ShouldBe(5);
        Jinja.Fails("{% set x = [\n1,\nnope.a] %}").Line.ShouldBe(3);
    }
}
