using System.Text.Json.Nodes;

namespace Lorikeet.Formats.Tests;

public sealed class PythonJsonTests
{
    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1.0, "1.0")]
    [InlineData(10000.0, "10000.0")]
    [InlineData(0.1, "0.1")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(1e-12, "1e-12")]
    [InlineData(1.5e-7, "1.5e-07")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(123456789012345680.0, "1.2345678901234568e+17")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1e100, "1e+100")]
    [InlineData(-2.5e-320, "-2.5e-320")]
    [InlineData(1234.5678, "1234.5678")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "Infinity")]
    [InlineData(double.NegativeInfinity, "-Infinity")]
    public void Floats_read_as_repr_writes_them(double value, string text) => PythonJson.Float(value).ShouldBe(text);

    [Fact]
    public void Every_float_reads_back_as_the_same_bits()
    {
        Random random = new(11);
        for (int i = 0; i < 20_000; i++)
        {
            double value = BitConverter.Int64BitsToDouble(random.NextInt64());
            if (double.IsFinite(value))
                double.Parse(PythonJson.Float(value), System.Globalization.CultureInfo.InvariantCulture).ShouldBe(value);
        }
    }

    [Fact]
    public void A_single_shows_its_own_digits() => PythonJson.Write(JsonValue.Create(0.1f), JsonStyle.Line).ShouldBe("0.1");

    [Fact]
    public void Numbers_of_a_file_are_written_as_python_would_write_them_back() =>
        PythonJson.Write(JsonText.Parse("[1e-5, 10000.0, 1E3, 12345678901234567890123, -0, -0.0, 1.50]"u8, "t"), JsonStyle.Line)
            .ShouldBe("[1e-05, 10000.0, 1000.0, 12345678901234567890123, 0, -0.0, 1.5]");

    [Fact]
    public void Indented_objects_and_lists_put_each_item_on_its_line() =>
        PythonJson.Write(new JsonObject { ["b"] = new JsonArray(1, true, null), ["a"] = new JsonObject(), ["c"] = new JsonArray() }, new JsonStyle())
            .ShouldBe("{\n  \"b\": [\n    1,\n    true,\n    null\n  ],\n  \"a\": {},\n  \"c\": []\n}\n");

    [Fact]
    public void Sorting_goes_by_code_point_and_into_the_depth() =>
        PythonJson.Write(new JsonObject { ["\uFFFD"] = 1, ["😀"] = 2, ["B"] = new JsonObject { ["b"] = 1, ["a"] = 2 } }, new JsonStyle(0, SortKeys: true, EnsureAscii: false, FinalNewline: false))
            .ShouldBe("{\"B\": {\"a\": 2, \"b\": 1}, \"\uFFFD\": 1, \"😀\": 2}");

    [Fact]
    public void Characters_beyond_ascii_are_escaped_only_where_asked()
    {
        JsonNode text = JsonValue.Create("é😀\u007f\u001f\t\"\\/");
        PythonJson.Write(text, JsonStyle.Line).ShouldBe("\"\\u00e9\\ud83d\\ude00\\u007f\\u001f\\t\\\"\\\\/\"");
        PythonJson.Write(text, JsonStyle.Line with { EnsureAscii = false }).ShouldBe("\"é😀\u007f\\u001f\\t\\\"\\\\/\"");
    }
}
