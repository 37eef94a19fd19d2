using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class JsonTextTests
{
    [Fact]
    public void Bare_infinities_and_nan_are_numbers_as_in_python()
    {
        JsonNode node = JsonText.Parse("{\"a\": [0.0, Infinity], \"b\": -Infinity, \"c\": NaN, \"d\": \"NaN \\\" Infinity\"}"u8, "t")!;
        node["a"]![1]!.GetValue<double>().ShouldBe(double.PositiveInfinity);
        node["b"]!.GetValue<double>().ShouldBe(double.NegativeInfinity);
        node["c"]!.GetValue<double>().ShouldBe(double.NaN);
        node["d"]!.GetValue<string>().ShouldBe("NaN \" Infinity");
        PythonJson.Write(node, JsonStyle.Line).ShouldBe("{\"a\": [0.0, Infinity], \"b\": -Infinity, \"c\": NaN, \"d\": \"NaN \\\" Infinity\"}");
    }

    [Fact]
    public void A_byte_order_mark_is_skipped() => JsonText.Parse([.. Encoding.UTF8.Preamble, .. "[1]"u8], "t")!.AsArray().Count.ShouldBe(1);

    [Theory]
    [InlineData("{\n  \"a\": 1,\n  \"b\": x\n}", "line 3, column 8")]
    [InlineData("{\"a\": 1", "line 1")]
    [InlineData("", "line 1")]
    [InlineData("{\"a\": 1,}", "line 1, column 9")]
    [InlineData("{\"a\": 1} 2", "line 1")]
    [InlineData("{\"a\": NaN, \"b\": }", "line 1")]
    [InlineData("{\"a\": 1, \"a\": 2}", "'a'")]
    [InlineData("{\"a\": \"\\ud800\"}", "surrogate")]
    [InlineData("{\"\\udc00\": 1}", "surrogate")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "line 1")]
    public void What_is_not_json_is_refused_with_its_place(string text, string place)
    {
        InputException e = Should.Throw<InputException>(() => JsonText.Parse(Encoding.UTF8.GetBytes(text), "some/config.json"));
        e.Message.ShouldStartWith("some/config.json: ");
        e.Message.ShouldContain(place);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused() =>
        Should.Throw<InputException>(() => JsonText.Parse([(byte)'"', 0xFF, (byte)'"'], "c.json")).Message.ShouldBe("c.json: not valid UTF-8 text");
}
