using System.Text;

namespace Lorikeet.Text.Tests;

public sealed class TemplateFuzzTests
{
    private static readonly TemplateLimits Limits = new()
    {
        MaxSteps = 50_000,
        MaxTextLength = 20_000,
        MaxItems = 5_000,
        MaxAllocatedBytes = 32 << 20,
    };

    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "{{-", "-}}", "{%+", "+%}", "\n", " ", " ", " ", "text", "{", "}", "'", "\"", "\\",
        "if", "elif", "else", "endif", "for", "in", "endfor", "set", "endset", "macro", "endmacro", "call", "endcall", "filter", "endfilter",
        "with", "endwith", "raw", "endraw", "generation", "endgeneration", "break", "continue", "recursive", "is", "not", "and", "or",
        "loop", "caller", "varargs", "x", "m", "l", "messages", "namespace", "ns.a", "range", "dict", "none", "true", "1", "0", "-1", "2.5", "1e9", "10**9",
        "'a'", "'%s'", "'{}'", "''", "[1, 'b', none]", "{'k': [1, 2]}", "(1, 2)", "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=",
        "(", ")", "[", "]", ",", ":", ".", "|", "=", "|upper", "|tojson", "|length", "|list", "|map('upper')", "|join", "|sort", "|int", "|items",
        ".items()", ".strip()", ".split('a')", ".format(1)", ".get('k')", "[0]", "[-1]", "[1:]", "[::-1]", "is defined", "is string", "é", "😀",
    ];

    private static readonly string[] Statements =
    [
        "{{ E }}", "{% if E %}S{% else %}S{% endif %}", "{% for x in E %}S{% endfor %}", "{% for x in E if E %}S{% else %}S{% endfor %}",
        "{% for x, y in E recursive %}S{{ loop(E) }}{% endfor %}", "{% set x = E %}", "{% set ns.a = E %}", "{% set x %}S{% endset %}",
        "{% macro m(x, y=E) %}S{% endmacro %}", "{{ m(E, y=E) }}", "{% call(x) m(E) %}S{% endcall %}", "{% filter trim %}S{% endfilter %}",
        "{% with x = E %}S{% endwith %}", "{% generation %}S{% endgeneration %}", "{% break %}", "text\n", "{{ caller(E) }}", "{{ loop.index }}",
    ];

    private static readonly string[] Expressions =
    [
        "x", "l", "messages", "ns.a", "loop.previtem", "1", "3", "-2", "2.5", "true", "none", "'ab'", "'😀é'", "[E, E]", "{'k': E}", "(E,)", "E + E", "E - E", "E * E", "E / E",
        "E // E", "E % E", "E ** E", "E ~ E", "E == E", "E < E", "E in E", "E and E", "not E", "E if E else E", "(E)", "E[E]", "E[E:E]", "E[::E]",
        "E.k", "E.items()", "E|upper", "E|tojson(indent=E)", "E|list", "E|join(E)", "E|sort", "E|unique|list", "E|map('string')|list", "E|select|list", "E|int",
        "E|round(E)", "E|replace(E, E)", "E|batch(E)|list", "E|slice(E)|list", "E|groupby(E)", "E|truncate(E)", "E|indent(E)", "E|center(E)", "E|default(E)",
        "E|first", "E|last", "E|sum", "E|max", "E|reverse|list", "E|dictsort", "E|length", "E|string", "E|safe", "E|e", "E|urlencode", "E|striptags", "E|format(E)",
        "'%5s|%x' % E", "'{:>5}{!r}'.format(E, E)", "'a,b'.split(E, E)", "'abc'.replace(E, E)", "'abc'.center(E)", "'abc'.zfill(E)", "E is string", "E is odd", "E is sequence",
        "range(E)|list", "range(E, E, E)|list", "namespace(a=E)", "dict(k=E)", "m(E)", "strftime_now(E)", "E.join(E)", "E.find(E, E, E)", "E|float", "E|abs", "E|wordcount", "E|title",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Token_soup_is_an_error_or_a_text_and_nothing_worse(int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 1000; i++)
        {
            StringBuilder source = new();
            for (int n = random.Next(1, 40); n > 0; n--)
                source.Append(Pieces[random.Next(Pieces.Length)]).Append(random.Next(3) == 0 ? " " : "");
            Try(source.ToString());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void So_is_any_program_of_the_grammar(int seed)
    {
        Random random = new(seed);
        int rendered = 0;
        for (int i = 0; i < 1000; i++)
        {
            StringBuilder source = new("{% set ns = namespace(a=1) %}{% macro m(x) %}[{{ x }}]{% endmacro %}");
            for (int n = random.Next(1, 5); n > 0; n--)
                source.Append(Grow("S", random, random.Next(1, 5)));
            rendered += Try(source.ToString()) ? 1 : 0;
        }
        rendered.ShouldBeGreaterThan(100);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void So_is_a_real_template_with_some_characters_changed(int seed)
    {
        Random random = new(seed);
        string[] files = [.. GoldenChatTemplates.Templates];
        string[] conversations = [.. GoldenChatTemplates.ConversationNames];
        for (int i = 0; i < 150; i++)
        {
            StringBuilder source = new(GoldenChatTemplates.Template(files[random.Next(files.Length)]).Source);
            for (int n = random.Next(1, 6); n > 0; n--)
            {
                int at = random.Next(source.Length);
                switch (random.Next(3))
                {
                    case 0:
                        source.Remove(at, 1);
                        break;
                    case 1:
                        source.Insert(at, Pieces[random.Next(Pieces.Length)]);
                        break;
                    default:
                        source[at] = (char)random.Next(' ', '\x7f');
                        break;
                }
            }
            Try(source.ToString(), GoldenChatTemplates.Request(conversations[random.Next(conversations.Length)]));
        }
    }

    private static string Grow(string kind, Random random, int depth)
    {
        string[] forms = kind == "S" ? Statements : Expressions;
        string form = forms[random.Next(depth > 0 ? forms.Length : kind == "S" ? 1 : 14)];
        StringBuilder grown = new();
        for (int i = 0; i < form.Length; i++)
        {
            bool alone = (i == 0 || !char.IsLetter(form[i - 1])) && (i + 1 == form.Length || !char.IsLetter(form[i + 1]));
            if (form[i] is 'E' or 'S' && alone)
                grown.Append(depth > 0 || form[i] == 'E' ? Grow(form[i].ToString(), random, depth - 1) : "");
            else
                grown.Append(form[i]);
        }
        return grown.ToString();
    }

    private static bool Try(string source, ChatRequest? request = null)
    {
        request ??= Jinja.Request("""{"x": "a b", "l": [3, "x", null, {"k": [1, 2]}, 2.5]}""");
        try
        {
            ChatTemplate.Parse(source, "fuzz", Limits).Render(request);
            return true;
        }
        catch (TemplateException error)
        {
            error.Reason.ShouldNotBeEmpty(source);
            error.Line.ShouldBeLessThanOrEqualTo(source.Count(c => c is '\n' or '\r') + 1, source);
            return false;
        }
        catch (Exception other)
        {
            throw new InvalidOperationException($"{other.GetType().Name} from {source}", other);
        }
    }
}
