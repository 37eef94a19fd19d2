namespace Lorikeet.Text.Tests;

public sealed class PythonTextTests
{
    [Theory]
    [InlineData("none", "None")]
    [InlineData("true", "True")]
    [InlineData("1.0", "1.0")]
    [InlineData("100.0", "100.0")]
    [InlineData("1e15", "1000000000000000.0")]
    [InlineData("1e16", "1e+16")]
    [InlineData("123456789012345680.0", "1.2345678901234568e+17")]
    [InlineData("0.0001", "0.0001")]
    [InlineData("0.00001", "1e-05")]
    [InlineData("1.5e-7", "1.5e-07")]
    [InlineData("1e300", "1e+300")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("5e-324", "5e-324")]
    [InlineData("1e308 * 10", "inf")]
    [InlineData("-1e308 * 10", "-inf")]
    [InlineData("1e308 * 10 - 1e308 * 10", "nan")]
    [InlineData("0.1", "0.1")]
    [InlineData("1/3", "0.3333333333333333")]
    [InlineData("2.5|string", "2.5")]
    public void Numbers_and_constants_print_as_in_Python(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("[1, 'a', none, true, 1.5]", "[1, 'a', None, True, 1.5]")]
    [InlineData("{'a': [1, {'b': 'c'}], 2: none}", "{'a': [1, {'b': 'c'}], 2: None}")]
    [InlineData("('a',)", "('a',)")]
    [InlineData("range(3)", "range(0, 3)")]
    [InlineData("range(1, 9, 2)", "range(1, 9, 2)")]
    [InlineData("{'a': 1}.items()", "dict_items([('a', 1)])")]
    [InlineData("{'a': 1}.keys()", "dict_keys(['a'])")]
    [InlineData("{'a': 1}.values()", "dict_values([1])")]
    [InlineData("namespace(a=1, b='x')", "<Namespace {'a': 1, 'b': 'x'}>")]
    [InlineData("['<'|safe]", "[Markup('<')]")]
    public void Containers_show_the_repr_of_what_they_hold(string expression, string text) => Jinja.Render("{{ " + expression + " }}").ShouldBe(text);

    [Theory]
    [InlineData("it's", "\"it's\"")]
    [InlineData("say \"hi\"", "'say \"hi\"'")]
    [InlineData("both ' and \"", "'both \\' and \"'")]
    [InlineData("a\\b", "'a\\\\b'")]
    [InlineData("tab\tnew\nret\r", "'tab\\tnew\\nret\\r'")]
    [InlineData("\u0000\u001b\u007f", "'\\x00\\x1b\\x7f'")]
    [InlineData("é中😀", "'é中😀'")]
    [InlineData("\u00a0\u200b\u2028", "'\\xa0\\u200b\\u2028'")]
    [InlineData("\U000e0001", "'\\U000e0001'")]
    public void Strings_are_quoted_as_Python_quotes_them(string value, string repr)
    {
        ChatRequest request = Jinja.Request("{}") with { Variables = new Dictionary<string, TemplateValue> { ["s"] = value } };
        ChatTemplate.Parse("{{ [s] }}", "test").Render(request).Text.ShouldBe("[" + repr + "]");
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("1.0", "1.0")]
    [InlineData("1e2", "100.0")]
    [InlineData("-0", "0")]
    [InlineData("18446744073709551616", "18446744073709551616")]
    [InlineData("{\"b\": 1, \"a\": {\"z\": [], \"y\": null}}", "{'b': 1, 'a': {'z': [], 'y': None}}")]
    [InlineData("{\"a\": 1, \"a\": 2}", "{'a': 2}")]
    [InlineData("true", "True")]
    public void Json_arrives_as_Python_reads_it(string json, string text) => Jinja.Render("{{ v }}", $"{{\"v\": {json}}}").ShouldBe(text);

    [Fact]
    public void A_namespace_that_holds_itself_can_be_printed() =>
        Jinja.Render("{% set n = namespace() %}{% set n.me = [n] %}{{ n }}").ShouldBe("<Namespace {'me': [<Namespace {...}>]}>");
}
