namespace Lorikeet.Formats.Tests;

public class HubPatternTests
{
    [Theory]
    [InlineData("*.json", "config.json", true)]
    [InlineData("*.json", "a/config.json", true)]
    [InlineData("*.json", "config.json.bak", false)]
    [InlineData("config.*", "a/config.json", false)]
    [InlineData("model-0000?-of-*", "model-00002-of-00003.safetensors", true)]
    [InlineData("onnx/", "onnx/deep/model.onnx", true)]
    [InlineData("onnx/", "my-onnx/model.onnx", false)]
    [InlineData("[ab].txt", "b.txt", true)]
    [InlineData("[!ab].txt", "b.txt", false)]
    [InlineData("[!ab].txt", "c.txt", true)]
    [InlineData("[a-c]1", "b1", true)]
    [InlineData("a[b", "a[b", true)]
    [InlineData("a+(b).txt", "a+(b).txt", true)]
    [InlineData("A.txt", "a.txt", false)]
    public void A_pattern_reads_as_in_the_hubs_own_client(string pattern, string name, bool matches) => new HubPattern(pattern).Matches(name).ShouldBe(matches);
}
