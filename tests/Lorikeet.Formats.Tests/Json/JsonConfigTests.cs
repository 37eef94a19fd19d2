using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class JsonConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("golden-peft", "adapter_config.json", false)]
    [InlineData("golden-models", "config.json", true)]
    [InlineData("golden-adapterhub", "adapter_config.json", false)]
    public void Files_of_the_reference_round_trip_to_the_same_bytes(string set, string name, bool newline)
    {
        JsonStyle style = new(SortKeys: true, FinalNewline: newline);
        int count = 0;
        foreach (string path in Directory.EnumerateFiles(GoldenData.Shared(set), name, SearchOption.AllDirectories))
        {
            if (path.Contains("config-not-json", StringComparison.Ordinal))
                continue;
            string text = File.ReadAllText(path);
            JsonConfig config = JsonConfig.Load(path);
            // a few of them were written without the final line feed
            PythonJson.Write(config.Root, style with { FinalNewline = text.EndsWith('\n') }).ShouldBe(text, path);
            count++;
        }
        count.ShouldBeGreaterThan(50);
    }

    [Fact]
    public void Unknown_keys_survive_a_change_of_known_ones()
    {
        string path = _folder.Write("adapter_config.json", "{\n  \"future_option\": {\n    \"x\": 1e-05\n  },\n  \"r\": 8\n}");
        JsonConfig config = JsonConfig.Load(path);
        config.Root["r"] = 16;
        config.Root["lora_alpha"] = 32.0;
        config.Save(path, JsonStyle.AdapterConfig);
        File.ReadAllText(path).ShouldBe("{\n  \"future_option\": {\n    \"x\": 1e-05\n  },\n  \"lora_alpha\": 32.0,\n  \"r\": 16\n}");
    }

    [Fact]
    public void Fields_are_read_with_their_types()
    {
        JsonConfig config = Parse("""{"i": 3, "whole": 4.0, "n": 1e-5, "b": false, "s": "x", "l": ["a", "b"], "one": "q_proj", "d": [1, 2.5], "z": null, "o": {"i": 7}}""");
        config.Int32("i").ShouldBe(3);
        config.Int32("whole").ShouldBe(4);
        config.Number("n").ShouldBe(1e-5);
        config.Number("i").ShouldBe(3.0);
        config.Flag("b", true).ShouldBeFalse();
        config.Text("s").ShouldBe("x");
        config.TextsOrNull("l").ShouldBe(["a", "b"]);
        config.TextsOrNull("one").ShouldBe(["q_proj"]);
        config.NumbersOrNull("d").ShouldBe([1.0, 2.5]);
        config.NumbersOrNull("i").ShouldBe([3.0]);
        config.Section("o")!.Int32("i").ShouldBe(7);
        config.Int32("z", 9).ShouldBe(9);
        config.Text("absent", "d").ShouldBe("d");
        config.TextOrNull("z").ShouldBeNull();
        config.Section("absent").ShouldBeNull();
        config.Has("z").ShouldBeFalse();
        config.Has("i").ShouldBeTrue();
        config.Check();
    }

    [Fact]
    public void Values_set_in_memory_are_read_like_those_of_a_file()
    {
        JsonConfig config = new(new JsonObject { ["i"] = 3, ["f"] = 0.5f, ["big"] = 5_000_000_000L }, "memory");
        config.Int32("i").ShouldBe(3);
        config.Number("f").ShouldBe(0.5);
        config.Number("big").ShouldBe(5e9);
        config.Int32OrNull("big").ShouldBeNull();
        config.Problems.ShouldBe(["`big`: found 5000000000, expected a whole number"]);
    }

    [Fact]
    public void Every_problem_is_told_at_once()
    {
        JsonConfig config = Parse("""{"hidden_size": "many", "r": 1.5, "rope_scaling": {"factor": [2]}, "target_modules": [1], "bias": null, "flag": 1, "s": [], "o": 4}""");
        config.Int32("hidden_size");
        config.Int32("r");
        config.Section("rope_scaling")!.Number("factor");
        config.TextsOrNull("target_modules");
        config.Text("bias");
        config.Int32("num_layers");
        config.Flag("flag", false);
        config.Text("s");
        config.Section("o");
        config.Report("r", "found 0, expected at least 1");
        InputException e = Should.Throw<InputException>(config.Check);
        e.Message.ShouldStartWith("c/config.json: some fields are missing or wrong");
        e.Problems.ShouldBe([
            "`hidden_size`: found the string \"many\", expected a whole number",
            "`r`: found 1.5, expected a whole number",
            "`rope_scaling.factor`: found a list [2], expected a number",
            "`target_modules`: found a list [1], expected a list of strings",
            "`bias`: is null, expected a string",
            "`num_layers`: is missing, expected a whole number",
            "`flag`: found 1, expected true or false",
            "`s`: found a list [], expected a string",
            "`o`: found 4, expected an object",
            "`r`: found 0, expected at least 1",
        ]);
    }

    [Fact]
    public void What_is_not_an_object_or_not_there_is_refused()
    {
        Should.Throw<InputException>(() => Parse("[1]")).Message.ShouldContain("found a list [1], expected an object");
        Should.Throw<InputException>(() => Parse("null")).Message.ShouldContain("found null");
        Should.Throw<InputException>(() => JsonConfig.Load(_folder.File("absent.json"))).Message.ShouldContain("there is no such file");
    }

    private static JsonConfig Parse(string text) => JsonConfig.Parse(Encoding.UTF8.GetBytes(text), "c/config.json");
}
