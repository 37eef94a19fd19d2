namespace Lorikeet.Text.Tests;

public sealed class ScopeTests
{
    private const string Outside = "{\"x\": \"given\"}";

    [Theory]
    [InlineData("{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}", "given")]
    [InlineData("{% for i in [1, 2] %}{{ x }}{% set x = i %}{{ x }} {% endfor %}", "given1 given2 ")]
    [InlineData("{% set x = 0 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "120")]
    [InlineData("{% for i in [1, 2] %}{% if i == 1 %}{% set x = i %}{% endif %}{{ x }} {% endfor %}", "1 given ")]
    [InlineData("{% for x in [1] %}{{ x }}{% endfor %}{{ x }}", "1given")]
    [InlineData("{% for i in [] %}{% else %}{% set x = 1 %}{{ x }}{% endfor %}{{ x }}", "1given")]
    public void Each_round_of_a_loop_starts_afresh(string source, string text) => Jinja.Render(source, Outside).ShouldBe(text);

    [Theory]
    [InlineData("{% if true %}{% set x = 1 %}{% endif %}{{ x }}", "1")]
    [InlineData("{% if false %}{% set x = 1 %}{% endif %}{{ x }}", "given")]
    [InlineData("{% if false %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}", "2")]
    [InlineData("{% if not y is defined %}{% set y = x %}{% endif %}{{ y }}", "given")]
    [InlineData("{{ x }}{% set x = 1 %}{{ x }}", "given1")]
    [InlineData("{% set x = x ~ '!' %}{{ x }}", "given!")]
    [InlineData("{% if false %}{% elif true %}{% set x = 2 %}{% else %}{% set x = 3 %}{% endif %}{{ x }}", "2")]
    [InlineData("{% if true %}{% if false %}{% set x = 1 %}{% endif %}{% else %}{% set x = 2 %}{% endif %}{{ x }}", "given")]
    [InlineData("{% if false %}{{ x }}{% elif x %}{% set x = x ~ 1 %}{% endif %}{{ x }}", "given1")]
    [InlineData("{% for i in [1, 2] %}{% if i == 2 %}{% if true %}{% set x = 5 %}{% endif %}{% endif %}{{ x }} {% endfor %}", "given 5 ")]
    public void A_condition_is_no_scope(string source, string text) => Jinja.Render(source, Outside).ShouldBe(text);

    [Theory]
    [InlineData("{% with x = 1 %}{% set y = 2 %}{{ x }}{% endwith %}{{ x }}{{ y }}", "1given")]
    [InlineData("{% with a = x, x = 1 %}{{ a }}{% endwith %}", "given")]
    [InlineData("{% set y %}{% set x = 1 %}{{ x }}{% endset %}{{ y }}{{ x }}", "1given")]
    [InlineData("{% filter upper %}{% set x = 'a' %}{{ x }}{% endfilter %}{{ x }}", "Agiven")]
    [InlineData("{% macro m() %}{% set x = 1 %}{{ x }}{% endmacro %}{{ m() }}{{ x }}", "1given")]
    [InlineData("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(1) }}{{ x }}", "1given")]
    [InlineData("{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x }}", "1given")]
    [InlineData("{% for i in [1] %}{% macro m() %}{{ i }}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "1given")]
    public void Everything_else_with_an_end_is_one(string source, string text) => Jinja.Render(source, Outside).ShouldBe(text);

    [Fact]
    public void What_the_template_sets_later_hides_the_given_value_from_inner_scopes_before() =>
        Jinja.Render("{% for i in [1] %}[{{ x }}]{% endfor %}{% set x = 1 %}{{ x }}", Outside).ShouldBe("[]1");

    [Fact]
    public void A_macro_sees_the_variables_around_it_as_they_are_when_it_is_called() =>
        Jinja.Render("{% set n = 1 %}{% macro m() %}{{ n }}{% endmacro %}{{ m() }}{% set n = 2 %}{{ m() }}").ShouldBe("12");

    [Fact]
    public void Given_variables_can_take_the_place_of_functions() =>
        Jinja.Render("{{ range }}{{ namespace }}", "{\"range\": 5}").ShouldBe("5<class 'namespace'>");
}
