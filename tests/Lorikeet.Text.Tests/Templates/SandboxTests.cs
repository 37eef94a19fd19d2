using System.Diagnostics;

namespace Lorikeet.Text.Tests;

public sealed class SandboxTests
{
    private static readonly TemplateLimits Small = new()
    {
        MaxSteps = 200_000,
        MaxTextLength = 100_000,
        MaxItems = 10_000,
        MaxAllocatedBytes = 64 << 20,
        MaxTime = TimeSpan.FromSeconds(20),
    };

    [Theory]
    [InlineData("[].append(1)", "access to attribute 'append' of 'list' object is unsafe.")]
    [InlineData("{}.update({})", "access to attribute 'update' of 'dict' object is unsafe.")]
    [InlineData("{}['pop']('a')", "access to attribute 'pop' of 'dict' object is unsafe.")]
    [InlineData("''.__class__.__mro__", "access to attribute '__class__' of 'str' object is unsafe.")]
    [InlineData("{}.__init__()", "access to attribute '__init__' of 'dict' object is unsafe.")]
    [InlineData("([]|attr('append'))(1)", "access to attribute 'append' of 'list' object is unsafe.")]
    [InlineData("namespace(_x=1)._x.y", "access to attribute '_x' of 'Namespace' object is unsafe.")]
    public void What_changes_a_value_or_reaches_inside_is_refused(string expression, string reason)
    {
        TemplateException error = Jinja.Fails("{{ " + expression + " }}");
        error.Kind.ShouldBe(TemplateErrorKind.Security);
        error.Reason.ShouldBe(reason);
    }

    [Theory]
    [InlineData("x.Length")]
    [InlineData("x.GetType")]
    [InlineData("x.Value")]
    [InlineData("[1].Items")]
    [InlineData("[1].Count")]
    [InlineData("{}.Keys")]
    [InlineData("namespace().Count")]
    [InlineData("range.Name")]
    [InlineData("range(1).Count")]
    [InlineData("loop")]
    [InlineData("self")]
    [InlineData("lipsum")]
    [InlineData("environment")]
    [InlineData("messages.Weight")]
    [InlineData("{'_a': 1}._b")]
    public void No_member_of_a_dotnet_object_can_be_seen(string expression) =>
        Jinja.Render("{{ " + expression + " is defined }}", "{\"x\": \"text\"}").ShouldBe("False");

    [Theory]
    [InlineData("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{{ 'x' }}{% endfor %}{% endfor %}", "")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macros call each other")]
    [InlineData("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}", "macros call each other")]
    [InlineData("{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}", "macros call each other")]
    [InlineData("{{ range(100001) }}", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).")]
    [InlineData("{{ range(10 ** 30) }}", "Range too big")]
    [InlineData("{{ 'x' * 1000000 }}", "100000 characters")]
    [InlineData("{{ 'x' * 10 ** 30 }}", "100000 characters")]
    [InlineData("{{ [1] * 1000000 }}", "10000 items")]
    [InlineData("{{ 'x'.center(1000000) }}", "100000 characters")]
    [InlineData("{{ 'x'.ljust(1000000) }}", "100000 characters")]
    [InlineData("{{ 'x'.zfill(1000000) }}", "100000 characters")]
    [InlineData("{{ 'x'|center(1000000) }}", "100000 characters")]
    [InlineData("{{ '%1000000d' % 1 }}", "100000 characters")]
    [InlineData("{{ '%.1000000d' % 1 }}", "100000 characters")]
    [InlineData("{{ '%.1000000f' % 1 }}", "precision")]
    [InlineData("{{ '{:1000000}'.format(1) }}", "100000 characters")]
    [InlineData("{{ '{:01000000,}'.format(1) }}", "100000 characters")]
    [InlineData("{{ '\\t'.expandtabs(1000000) }}", "100000 characters")]
    [InlineData("{{ ('x' * 1000).replace('', 'y' * 1000) }}", "100000 characters")]
    [InlineData("{{ ('x' * 1000).join(range(1000)|map('string')) }}", "100000 characters")]
    [InlineData("{{ range(1000)|join('x' * 1000) }}", "100000 characters")]
    [InlineData("{{ ['x' * 1000] * 1000 }}", "100000 characters")]
    [InlineData("{{ (['x' * 1000] * 1000)|tojson }}", "100000 characters")]
    [InlineData("{{ ('x\\n' * 9000)|indent('y' * 1000) }}", "100000 characters")]
    [InlineData("{{ 10 ** 100000 }}", "16384 bits")]
    [InlineData("{{ 2 ** (10 ** 30) }}", "16384 bits")]
    [InlineData("{% set n = namespace(x=2) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}", "16384 bits")]
    [InlineData("{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}", "100000 characters")]
    [InlineData("{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}", "100000 characters")]
    [InlineData("{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}", "10000 items")]
    [InlineData("{% set n = namespace(x=[1]) %}{% for i in range(999) %}{% set n.x = [n.x] %}{% endfor %}", "nested more than 200 deep")]
    [InlineData("{% set n = namespace(x=(1,)) %}{% for i in range(99) %}{% set n.x = (n.x, n.x) %}{% endfor %}{{ n.x == n.x[:] }}", "steps")]
    [InlineData("{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}", "")]
    [InlineData("{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson }}", "")]
    [InlineData("{% set n = namespace() %}{% for i in range(2000) %}{% set n.x = namespace(x=n) %}{% set n = n.x %}{{ n }}{% endfor %}", "")]
    [InlineData("{% for i in range(99999) %}{{ 'x' * 10000 }}{% endfor %}", "100000 characters")]
    [InlineData("{% for i in range(99999) %}{% set x = ['y' * 90000, [1] * 9000] %}{% endfor %}", "")]
    [InlineData("{% for i in range(99999) %}{{ ('a' * 90000).count('b') }}{% endfor %}", "steps")]
    [InlineData("{% set s = 'a' * 90000 %}{% for i in range(99999) %}{% set x = [s]|string %}{% endfor %}", "steps")]
    [InlineData("{% set s = 'a' * 90000 %}{% for i in range(99999) %}{% set x = s[5] %}{% endfor %}", "steps")]
    [InlineData("{% set s = 'a' * 90000 %}{% for i in range(99999) %}{% set x = '%s' % s %}{% endfor %}", "steps")]
    [InlineData("{% set s = 'a' * 90000 %}{% for i in range(99999) %}{% set x = s|upper|length %}{% endfor %}", "steps")]
    [InlineData("{% set s = 'a' * 90000 %}{% for i in range(99999) %}{% set x = (s + 'x') == (s + 'y') %}{% endfor %}", "steps")]
    [InlineData("{% set d = dict(range(9000)|map('string')|batch(2)) %}{% for i in range(99999) %}{% for k in d.items() %}{% break %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{{ ('a' * 50000 + 'b')|list|sort }}", "a list grew")]
    public void A_template_cannot_run_away(string source, string reason)
    {
        Stopwatch clock = Stopwatch.StartNew();
        TemplateException error = Jinja.Fails(source, limits: Small);
        error.Kind.ShouldBe(TemplateErrorKind.Limit, error.Message);
        error.Reason.ShouldContain(reason);
        error.Line.ShouldBe(1);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("{% set a = 'a' * 2000000 %}{{ (a + 'b') in (a + a + 'c') }}", "False")]
    [InlineData("{% set a = 'a' * 2000000 %}{{ (a + a).rfind('b' + a) }}", "-1")]
    [InlineData("{% set a = 'a' * 2000000 %}{{ (a + a).count(a) }}", "2")]
    [InlineData("{% set a = ('a' * 999 + 'b') * 2000 %}{{ a.replace('a' * 999 + 'c', '')|length }}", "2000000")]
    public void Searching_takes_linear_time_whatever_the_text(string source, string text)
    {
        Stopwatch clock = Stopwatch.StartNew();
        Jinja.Render(source).ShouldBe(text);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void The_time_on_the_clock_is_limited_too() =>
        Jinja.Fails("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            limits: new TemplateLimits { MaxSteps = long.MaxValue, MaxTime = TimeSpan.FromMilliseconds(50) }).Reason.ShouldContain("0.05 s");

    [Fact]
    public void The_memory_it_allocates_is_limited_too() =>
        Jinja.Fails("{% for a in range(99999) %}{% set x = 'x' * 1000000 %}{% endfor %}",
            limits: new TemplateLimits { MaxAllocatedBytes = 32 << 20 }).Reason.ShouldContain("32 MiB");

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    [InlineData("f(", ")")]
    [InlineData("{1:", "}")]
    [InlineData("1 - (", ")")]
    [InlineData("1 if 1 else ", "")]
    [InlineData("1 ~ (", ")")]
    [InlineData("a[", "]")]
    public void Source_that_nests_without_end_is_refused(string open, string close)
    {
        string source = "{{ " + string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000)) + " }}";
        Jinja.Fails(source).Kind.ShouldBe(TemplateErrorKind.Syntax);
    }

    [Theory]
    [InlineData("{{ x", ".a", " }}")]
    [InlineData("{{ x", "|trim", " }}")]
    [InlineData("{{ x", "()", " }}")]
    [InlineData("{{ 1", " - 1", " }}")]
    [InlineData("{{ 1", " and 1", " }}")]
    [InlineData("", "{% if 1 %}", "")]
    [InlineData("", "{% for x in y %}", "")]
    [InlineData("", "{% macro m() %}", "")]
    public void So_is_source_that_goes_on_and_on(string start, string repeated, string end)
    {
        string source = start + string.Concat(Enumerable.Repeat(repeated, 50_000)) + end;
        TemplateException? error = Record.Exception(() => Jinja.Render(source)) as TemplateException;
        error.ShouldNotBeNull();
    }

    [Fact]
    public void Ordinary_depth_is_no_problem()
    {
        Jinja.Render("{{ " + string.Join(" + ", Enumerable.Repeat("1", 300)) + " }}").ShouldBe("300");
        Jinja.Render("{{ " + string.Join(" + ", Enumerable.Repeat("'a'", 3000)) + " }}").ShouldBe(new string('a', 3000));
        Jinja.Render("{{ " + string.Join(" ~ ", Enumerable.Repeat("1", 3000)) + " }}").ShouldBe(new string('1', 3000));
        Jinja.Render("{{ " + new string('(', 50) + "1" + new string(')', 50) + " }}").ShouldBe("1");
        Jinja.Render(string.Concat(Enumerable.Repeat("{% if 1 %}", 90)) + "x" + string.Concat(Enumerable.Repeat("{% endif %}", 90))).ShouldBe("x");
        Jinja.Render("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% else %}x{% endif %}{% endmacro %}{{ m(190) }}").ShouldBe("x");
    }

    [Fact]
    public void A_thread_with_a_small_stack_gets_an_error_and_lives()
    {
        string nested = string.Concat(Enumerable.Repeat("{% if 1 %}{% for x in [1] %}", 40)) + "{{ m(n - 1) }}"
            + string.Concat(Enumerable.Repeat("{% endfor %}{% endif %}", 40));
        ChatTemplate template = ChatTemplate.Parse("{% macro m(n) %}" + nested + "{% endmacro %}{{ m(9) }}", "test");
        Exception? error = null;
        Thread thread = new(() => error = Record.Exception(() => template.Render(Jinja.Request("{}"))), 256 * 1024);
        thread.Start();
        thread.Join();
        error.ShouldBeOfType<TemplateException>().Kind.ShouldBe(TemplateErrorKind.Limit);
    }
}
