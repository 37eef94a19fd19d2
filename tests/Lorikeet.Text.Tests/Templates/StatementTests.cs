namespace Lorikeet.Text.Tests;

public sealed class StatementTests
{
    [Theory]
    [InlineData("{% if a %}1{% elif b %}2{% else %}3{% endif %}", "3")]
    [InlineData("{% if a %}1{% elif true %}2{% elif boom() %}3{% endif %}", "2")]
    [InlineData("{% if 1 == 1 and not a %}1{% endif %}", "1")]
    [InlineData("{% print 1, 2 %}", "12")]
    [InlineData("{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "12")]
    [InlineData("{% filter upper|trim %} a{{ 'b' }} {% endfilter %}", "AB")]
    [InlineData("{% autoescape false %}{{ '<' }}{% endautoescape %}", "<")]
    [InlineData("{% block x %}a{% endblock x %}b", "ab")]
    public void Simple_statements(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("{% set a = 1 %}{{ a }}", "1")]
    [InlineData("{% set a, b = 1, 2 %}{{ a }}{{ b }}", "12")]
    [InlineData("{% set (a, b) = [1, 2] %}{{ a }}{{ b }}", "12")]
    [InlineData("{% set a = 1, 2 %}{{ a }}", "(1, 2)")]
    [InlineData("{% set a %}x{{ 1 }}{% endset %}[{{ a }}]", "[x1]")]
    [InlineData("{% set a | upper | replace('X', 'y') %}x{% endset %}{{ a }}", "y")]
    [InlineData("{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}", "2")]
    [InlineData("{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a ~ ns['b'] }}", "12")]
    [InlineData("{% set ns = namespace() %}{% set ns.x %}abc{% endset %}{{ ns.x }}", "abc")]
    [InlineData("{% set ns = namespace() %}{% set ns.x, ns.y = 1, 2 %}{{ ns.x + ns.y }}", "3")]
    public void Set(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Fact]
    public void Only_attributes_of_a_namespace_can_be_set()
    {
        TemplateException error = Jinja.Fails("{% set m = {} %}{% set m.a = 1 %}");
        error.Kind.ShouldBe(TemplateErrorKind.Runtime);
        error.Reason.ShouldBe("cannot assign attribute on non-namespace object");
    }

    [Theory]
    [InlineData("{% for x in [1, 2] %}{{ x }},{% endfor %}", "1,2,")]
    [InlineData("{% for x in [] %}a{% else %}b{% endfor %}", "b")]
    [InlineData("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %}", "a=1")]
    [InlineData("{% for k in {'a': 1} %}{{ k }}{% endfor %}", "a")]
    [InlineData("{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "123")]
    [InlineData("{% for x in 1, 2 %}{{ x }}{% endfor %}", "12")]
    [InlineData("{% for x in [1, 2, 3, 4] if x is odd %}{{ x }}{{ loop.index }}{{ loop.last }} {% endfor %}", "11False 32True ")]
    [InlineData("{% for x in [1] if x > 5 %}a{% else %}none{% endfor %}", "none")]
    [InlineData("{% for x in [1, 2, 3, 4] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}", "13")]
    [InlineData("{% for x in [1, 2] %}{% for y in [1, 2] %}{% if y == 2 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}", "11 21 ")]
    [InlineData("{% for x in range(3) %}{{ x }}{% endfor %}", "012")]
    [InlineData("{% for x in [1, 2, 3] %}{% set s %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endset %}{{ s }}{% endfor %}!", "1!")]
    public void For(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("{% for x in none %}{% endfor %}", "'NoneType' object is not iterable")]
    [InlineData("{% for x in 5 %}{% endfor %}", "'int' object is not iterable")]
    [InlineData("{% for a, b in [1] %}{% endfor %}", "cannot unpack non-iterable int object")]
    [InlineData("{% for a, b in [[1]] %}{% endfor %}", "not enough values to unpack (expected 2, got 1)")]
    [InlineData("{% for a, b in ['abc'] %}{% endfor %}", "too many values to unpack (expected 2)")]
    public void For_refuses(string source, string reason) => Jinja.Fails(source).Reason.ShouldBe(reason);

    [Theory]
    [InlineData("{{ loop.index }}{{ loop.index0 }}", "102132")]
    [InlineData("{{ loop.revindex }}{{ loop.revindex0 }}", "322110")]
    [InlineData("{{ loop.first }} {{ loop.last }},", "True False,False False,False True,")]
    [InlineData("{{ loop.length }}", "333")]
    [InlineData("{{ loop.previtem }}<{{ loop.nextitem }} ", "<b a<c b< ")]
    [InlineData("{{ loop.previtem is defined }} {{ loop.nextitem is defined }},", "False True,True True,True False,")]
    [InlineData("{{ loop.cycle('x', 'y') }}", "xyx")]
    [InlineData("{{ loop.changed(x == 'a') }} ", "True True False ")]
    [InlineData("{{ loop.depth }}{{ loop.depth0 }}", "101010")]
    [InlineData("{{ loop }}", "<LoopContext 1/3><LoopContext 2/3><LoopContext 3/3>")]
    [InlineData("{{ loop.nope }}", "")]
    public void The_loop_variable(string body, string text) =>
        Jinja.Render("{% for x in ['a', 'b', 'c'] %}" + body + "{% endfor %}").ShouldBe(text);

    [Theory]
    [InlineData("{% for x in 'ab'|map('upper') %}{{ x }}{{ loop.length }}{{ loop.last }} {% endfor %}", "A2False B2True ")]
    [InlineData("{% for x in [1, 2] %}{% set outer = loop %}{% for y in [3, 4] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}", "11 12 21 22 ")]
    [InlineData("{% for i in [[1, [2]], 3] recursive %}({{ loop.depth }}{% if i is iterable %}{{ loop(i) }}{% else %}:{{ i }}{% endif %}){% endfor %}",
        "(1(2:1)(2(3:2)))(1:3)")]
    public void Loops_inside_loops(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Fact]
    public void Only_a_recursive_loop_can_be_called() =>
        Jinja.Fails("{% for x in [1] %}{{ loop([]) }}{% endfor %}").Reason.ShouldBe("The loop must have the 'recursive' marker to be called recursively.");

    [Theory]
    [InlineData("{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=4, a=5) }}", "1-2 1-3 5-4")]
    [InlineData("{% macro m(a, b=a ~ '!') %}{{ b }}{% endmacro %}{{ m(1) }}", "1!")]
    [InlineData("{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m() }}", "[]")]
    [InlineData("{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, x=2) }}", "(1,){'x': 2}")]
    [InlineData("{% macro m(n) %}{{ n }}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "3210")]
    [InlineData("{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}x{% endmacro %}{{ a() }}", "x")]
    [InlineData("{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}", "1")]
    [InlineData("{% macro m() %}{% set x = 2 %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{{ x }}", "21")]
    [InlineData("{% macro m(a, b) %}{% endmacro %}{{ m.name }} {{ m.arguments }} {{ m.catch_kwargs }}", "m ('a', 'b') False")]
    [InlineData("{% macro m() %} a {% endmacro %}{{ m()|trim ~ '.' }}", "a.")]
    [InlineData("{% macro m(x=1) %}{{ x }}{% endmacro %}{{ m(none) }}", "None")]
    [InlineData("{% macro list(x) %}{{ x }}{% endmacro %}{{ list([1]|list) }}", "[1]")]
    public void Macros(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("{{ m(1, 2) }}", "macro 'm' takes not more than 1 argument(s)")]
    [InlineData("{{ m(x=2) }}", "macro 'm' takes no keyword argument 'x'")]
    [InlineData("{{ m(1, a=2) }}", "macro 'm' takes no keyword argument 'a'")]
    [InlineData("{{ m().x }}{{ m(1).y.z }}", "'str object' has no attribute 'y'")]
    [InlineData("{{ n(1) }}", "parameter 'b' was not provided")]
    public void Macros_refuse(string call, string reason) =>
        Jinja.Fails("{% macro m(a) %}{% endmacro %}{% macro n(a, b) %}{{ b.x }}{% endmacro %}" + call).Reason.ShouldBe(reason);

    [Theory]
    [InlineData("{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}body{% endcall %}", "<body>")]
    [InlineData("{% macro m(l) %}{% for x in l %}{{ caller(x) }}{% endfor %}{% endmacro %}{% call(x) m([1, 2]) %}[{{ x }}]{% endcall %}", "[1][2]")]
    [InlineData("{% macro m() %}{{ 'called' if caller else 'plain' }}{% endmacro %}{{ m() }}{% call m() %}{% endcall %}", "plaincalled")]
    [InlineData("{% set x = 1 %}{% macro m() %}{% set x = 2 %}{{ caller() }}{% endmacro %}{% call m() %}{{ x }}{% endcall %}", "1")]
    public void Call_blocks(string source, string text) => Jinja.Render(source).ShouldBe(text);

    [Theory]
    [InlineData("{% include 'a' %}")]
    [InlineData("{% import 'a' as b %}")]
    [InlineData("{% from 'a' import b %}")]
    [InlineData("{% extends 'a' %}")]
    public void There_is_no_other_template_to_go_to(string source)
    {
        Jinja.Fails(source).Kind.ShouldBe(TemplateErrorKind.Runtime);
        Jinja.Render("{% if false %}" + source + "{% endif %}ok").ShouldBe("ok");
    }

    [Fact]
    public void Raise_exception_carries_the_words_of_the_template()
    {
        TemplateException error = Jinja.Fails("a\n{{ raise_exception('No, ' + who) }}", "{\"who\": \"Ann\"}");
        error.Kind.ShouldBe(TemplateErrorKind.Raised);
        error.Reason.ShouldBe("No, Ann");
        error.Line.ShouldBe(2);
        error.Message.ShouldContain("No, Ann");
        error.TemplateName.ShouldBe("test");
    }

    [Theory]
    [InlineData("{% set j = joiner('|') %}{% for x in [1, 2, 3] %}{{ j() }}{{ x }}{% endfor %}", "1|2|3")]
    [InlineData("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.next() }}", "abbaNonea")]
    [InlineData("{{ range(3)|list }}{{ range(1, 3)|list }}{{ range(3, 0, -2)|list }}", "[0, 1, 2][1, 2][3, 1]")]
    public void Helpers(string source, string text) => Jinja.Render(source).ShouldBe(text);
}
