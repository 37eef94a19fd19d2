namespace Lorikeet.Text.Tests;

public sealed class ExpressionTests
{
    [Theory]
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("(1 + 2) * 3", "9")]
    [InlineData("7 / 2", "3.5")]
    [InlineData("6 / 2", "3.0")]
    [InlineData("7 // 2", "3")]
    [InlineData("-7 // 2", "-4")]
    [InlineData("7 // -2", "-4")]
    [InlineData("-7 % 3", "2")]
    [InlineData("7 % -3", "-2")]
    [InlineData("7.5 // 2", "3.0")]
    [InlineData("-7.5 % 2", "0.5")]
    [InlineData("2 ** 10", "1024")]
    [InlineData("2 ** -1", "0.5")]
    [InlineData("2 ** 3 ** 2", "64")]
    [InlineData("-2 ** 2", "4")]
    [InlineData("2 ** 100", "1267650600228229401496703205376")]
    [InlineData("9223372036854775807 + 1", "9223372036854775808")]
    [InlineData("-9223372036854775808 - 1", "-9223372036854775809")]
    [InlineData("9223372036854775808 - 1", "9223372036854775807")]
    [InlineData("3037000500 * 3037000500", "9223372037000250000")]
    [InlineData("10 ** 20 // 10 ** 18", "100")]
    [InlineData("10 ** 30 / 10 ** 28", "100.0")]
    [InlineData("10 ** 20 / 3", "3.333333333333333e+19")]
    [InlineData("0.1 + 0.2", "0.30000000000000004")]
    [InlineData("true + true", "2")]
    [InlineData("1 - 2.5", "-1.5")]
    [InlineData("+true", "1")]
    [InlineData("-1|abs", "1")]
    [InlineData("1 + 2|string ~ 3", "E")]
    public void Arithmetic_is_that_of_Python(string expression, string text)
    {
        if (text == "E")
            Jinja.Fails("{{ " + expression + " }}").Kind.ShouldBe(TemplateErrorKind.Type);
        else
            Jinja.Render("{{ " + expression + " }}").ShouldBe(text);
    }

    [Theory]
    [InlineData("1 / 0", "division by zero")]
    [InlineData("1 // 0", "integer division or modulo by zero")]
    [InlineData("1.0 / 0", "float division by zero")]
    [InlineData("0 ** -1", "0.0 cannot be raised to a negative power")]
    [InlineData("10.0 ** 400", "(34, 'Numerical result out of range')")]
    public void What_has_no_value_is_an_error(string expression, string reason)
    {
        TemplateException error = Jinja.Fails("{{ " + expression + " }}");
        error.Kind.ShouldBe(TemplateErrorKind.Value);
        error.Reason.ShouldBe(reason);
    }

    [Theory]
    [InlineData("'a' + 'b'", "ab")]
    [InlineData("'ab' * 3", "ababab")]
    [InlineData("2 * 'ab'", "abab")]
    [InlineData("'ab' * -1", "")]
    [InlineData("[1] + [2, 3]", "[1, 2, 3]")]
    [InlineData("[0] * 3", "[0, 0, 0]")]
    [InlineData("(1,) + (2,)", "(1, 2)")]
    [InlineData("1 + 2 + 3 - 4 + 5 - 6", "1")]
    [InlineData("'a' + 'b' + '<c>'|safe + '<'", "ab<c>&lt;")]
    [InlineData("('a' + 'b' + 'c')|length", "3")]
    [InlineData("[1] + [2] + [3]", "[1, 2, 3]")]
    [InlineData("1 ~ 'a' ~ none ~ 2.0 ~ [1]", "1aNone2.0[1]")]
    [InlineData("'%s has %d' % ('Ann', 3)", "Ann has 3")]
    public void Strings_and_lists_add_and_repeat(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("'a' + 1", "can only concatenate str (not \"int\") to str")]
    [InlineData("'a' + none", "can only concatenate str (not \"NoneType\") to str")]
    [InlineData("'a' + 'b' + 1 + boom()", "can only concatenate str (not \"int\") to str")]
    [InlineData("[1] + 'a'", "can only concatenate list (not \"str\") to list")]
    [InlineData("1 + 'a'", "unsupported operand type(s) for +: 'int' and 'str'")]
    [InlineData("none + 'a'", "unsupported operand type(s) for +: 'NoneType' and 'str'")]
    [InlineData("{} - {}", "unsupported operand type(s) for -: 'dict' and 'dict'")]
    [InlineData("'a' * 'b'", "can't multiply sequence by non-int of type 'str'")]
    [InlineData("-'a'", "bad operand type for unary -: 'str'")]
    [InlineData("1 < 'a'", "'<' not supported between instances of 'int' and 'str'")]
    [InlineData("none > 1", "'>' not supported between instances of 'NoneType' and 'int'")]
    [InlineData("1 in 2", "argument of type 'int' is not iterable")]
    [InlineData("1 in 'a'", "'in <string>' requires string as left operand, not int")]
    [InlineData("none()", "'NoneType' object is not callable")]
    [InlineData("none[1:]", "'NoneType' object is not subscriptable")]
    [InlineData("{}[1:]", "unhashable type: 'slice'")]
    [InlineData("{[1]: 2}", "unhashable type: 'list'")]
    [InlineData("none|length", "object of type 'NoneType' has no len()")]
    [InlineData("[1]['a':]", "slice indices must be integers or None or have an __index__ method")]
    public void Kinds_that_do_not_go_together_are_an_error(string expression, string reason)
    {
        TemplateException error = Jinja.Fails("{{ " + expression + " }}");
        error.Kind.ShouldBe(TemplateErrorKind.Type);
        error.Reason.ShouldBe(reason);
    }

    [Theory]
    [InlineData("1 < 2 < 3", "True")]
    [InlineData("1 < 3 < 2", "False")]
    [InlineData("3 > 2 == 2", "True")]
    [InlineData("1 == 1.0 == true", "True")]
    [InlineData("'a' < 'b'", "True")]
    [InlineData("'Z' < 'a'", "True")]
    [InlineData("'\uffff' < '😀'", "True")]
    [InlineData("[1, 2] < [1, 3]", "True")]
    [InlineData("[1, 2] < [1]", "False")]
    [InlineData("[1] == (1,)", "False")]
    [InlineData("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "True")]
    [InlineData("none == false", "False")]
    [InlineData("'1' == 1", "False")]
    [InlineData("9007199254740993 == 9007199254740992.0", "False")]
    [InlineData("nope == nope2", "True")]
    [InlineData("1 != 2", "True")]
    public void Comparisons_chain_and_compare_by_value(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("2 in [1, 2]", "True")]
    [InlineData("'b' in 'abc'", "True")]
    [InlineData("'' in ''", "True")]
    [InlineData("'k' in {'k': 1}", "True")]
    [InlineData("1.0 in {1: 'a'}", "True")]
    [InlineData("3 not in (1, 2)", "True")]
    [InlineData("5 in range(0, 10, 5)", "True")]
    [InlineData("6 in range(0, 10, 5)", "False")]
    [InlineData("'a' in nope", "False")]
    [InlineData("not 1 in [1]", "False")]
    [InlineData("'a' in {'a': 1}.keys()", "True")]
    [InlineData("1 in {'a': 1}.values()", "True")]
    [InlineData("('a', 1) in {'a': 1}.items()", "True")]
    public void In_looks_into_everything_that_holds_things(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("1 and 2", "2")]
    [InlineData("0 and 2", "0")]
    [InlineData("'' or 'x'", "x")]
    [InlineData("'a' or boom()", "a")]
    [InlineData("none and boom()", "None")]
    [InlineData("not ''", "True")]
    [InlineData("not not [0]", "True")]
    [InlineData("1 or 0 and 0", "1")]
    [InlineData("not 1 == 2", "True")]
    [InlineData("true and not false", "True")]
    public void And_or_give_the_value_that_decides(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("0", false)]
    [InlineData("0.0", false)]
    [InlineData("''", false)]
    [InlineData("[]", false)]
    [InlineData("()", false)]
    [InlineData("{}", false)]
    [InlineData("none", false)]
    [InlineData("nope", false)]
    [InlineData("range(0)", false)]
    [InlineData("{}.items()", false)]
    [InlineData("' '", true)]
    [InlineData("[0]", true)]
    [InlineData("namespace()", true)]
    [InlineData("[]|map('upper')", true)]
    [InlineData("{}.get", true)]
    public void Truth_is_that_of_Python(string expression, bool truth) =>
        Jinja.Render("{{ 'yes' if " + expression + " else 'no' }}").ShouldBe(truth ? "yes" : "no");

    [Theory]
    [InlineData("'a' if true", "a")]
    [InlineData("'a' if false", "")]
    [InlineData("'a' if false else 'b' if false else 'c'", "c")]
    [InlineData("1 if true else boom()", "1")]
    [InlineData("('a' if x is defined else 'b') ~ 'c'", "bc")]
    public void A_conditional_needs_no_else(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("[1:3]", "bc")]
    [InlineData("[:2]", "ab")]
    [InlineData("[3:]", "def")]
    [InlineData("[-2:]", "ef")]
    [InlineData("[:-2]", "abcd")]
    [InlineData("[::2]", "ace")]
    [InlineData("[::-1]", "fedcba")]
    [InlineData("[4:1:-2]", "ec")]
    [InlineData("[-100:100]", "abcdef")]
    [InlineData("[5:2]", "")]
    [InlineData("[:]", "abcdef")]
    [InlineData("[none:none:none]", "abcdef")]
    [InlineData("[0]", "a")]
    [InlineData("[-1]", "f")]
    [InlineData("[6]", "")]
    [InlineData("[-7]", "")]
    [InlineData("[true]", "b")]
    [InlineData("[10 ** 30:]", "")]
    public void Slices_are_those_of_Python(string slice, string text) => Jinja.Render("{{ 'abcdef'" + slice + " }}").ShouldBe(text);

    [Fact]
    public void Strings_are_counted_by_code_point()
    {
        Jinja.Render("{{ s|length }} {{ s[1] }} {{ s[::-1] }} {{ s[1:3] }} {{ s.find('b') }}", "{\"s\": \"a😀b\"}").ShouldBe("3 😀 b😀a 😀b 2");
        Jinja.Render("{% for c in s %}[{{ c }}]{% endfor %}", "{\"s\": \"a😀b\"}").ShouldBe("[a][😀][b]");
    }

    [Theory]
    [InlineData("[1, 2, 3][1:]", "[2, 3]")]
    [InlineData("(1, 2, 3)[::-1]", "(3, 2, 1)")]
    [InlineData("range(10)[2:8:3]", "range(2, 8, 3)")]
    [InlineData("range(10)[-1]", "9")]
    [InlineData("[1, 2,]", "[1, 2]")]
    [InlineData("(1,)", "(1,)")]
    [InlineData("()", "()")]
    [InlineData("1, 2", "(1, 2)")]
    [InlineData("{'a': 1, 'a': 2,}", "{'a': 2}")]
    [InlineData("{1: 'x'}[true]", "x")]
    [InlineData("{'a': 1}['b']", "")]
    [InlineData("{(1, 2): 3}[1, 2]", "3")]
    public void Lists_tuples_ranges_and_dicts(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("d.items", "<built-in method items of dict object at 0x0>")]
    [InlineData("d['items']", "things")]
    [InlineData("d.keys()|list", "['items', 'x']")]
    [InlineData("d['get'] is callable", "True")]
    [InlineData("d.x", "1")]
    [InlineData("d.nope is defined", "False")]
    [InlineData("{'length': 3}.length", "3")]
    public void A_dot_finds_methods_before_items_and_brackets_items_before_methods(string expression, string text) =>
        Jinja.Render("{{ " + expression + " }}", "{\"d\": {\"items\": \"things\", \"x\": 1}}").ShouldBe(text);

    [Theory]
    [InlineData("dict(a=1, **{'b': 2})", "{'a': 1, 'b': 2}")]
    [InlineData("dict([('a', 1)])", "{'a': 1}")]
    [InlineData("range(*[1, 4])|list", "[1, 2, 3]")]
    [InlineData("'{}-{}'.format(*'ab')", "a-b")]
    public void Calls_spread_lists_and_dicts(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);
}
