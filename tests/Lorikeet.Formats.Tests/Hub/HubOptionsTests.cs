using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class HubOptionsTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("lorikeet-hub-");

    public void Dispose() => _home.Delete(recursive: true);

    [Fact]
    public void Without_variables_the_hub_and_its_usual_folder_are_used()
    {
        HubOptions options = Read([]);
        options.Endpoint.ShouldBe(new Uri("https://huggingface.co"));
        options.CacheFolder.ShouldBe(Path.Combine(_home.FullName, ".cache", "huggingface", "hub"));
        options.Token.ShouldBeNull();
        options.Offline.ShouldBeFalse();
    }

    [Fact]
    public void The_cache_folder_follows_the_hubs_own_variables()
    {
        Read(new() { ["XDG_CACHE_HOME"] = "/x" }).CacheFolder.ShouldBe(Path.Combine("/x", "huggingface", "hub"));
        Read(new() { ["XDG_CACHE_HOME"] = "/x", ["HF_HOME"] = "~/hf" }).CacheFolder.ShouldBe(Path.Combine(_home.FullName, "hf", "hub"));
        Read(new() { ["HF_HOME"] = "/y", ["HUGGINGFACE_HUB_CACHE"] = "/old" }).CacheFolder.ShouldBe("/old");
        Read(new() { ["HF_HOME"] = "/y", ["HUGGINGFACE_HUB_CACHE"] = "/old", ["HF_HUB_CACHE"] = "/z" }).CacheFolder.ShouldBe("/z");
    }

    [Fact]
    public void The_token_comes_from_the_variable_or_from_the_file_that_a_login_leaves()
    {
        string file = Path.Combine(_home.FullName, ".cache", "huggingface", "token");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "hf_file\n");
        Read([]).Token.ShouldBe("hf_file");
        Read(new() { ["HF_TOKEN"] = " hf_variable " }).Token.ShouldBe("hf_variable");
        string other = Path.Combine(_home.FullName, "other");
        File.WriteAllText(other, "hf_other");
        Read(new() { ["HF_TOKEN_PATH"] = other }).Token.ShouldBe("hf_other");
        File.WriteAllText(other, " \n");
        Read(new() { ["HF_TOKEN_PATH"] = other }).Token.ShouldBeNull();
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("yes", true)]
    [InlineData("True", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public void Offline_is_a_switch(string value, bool offline) => Read(new() { ["HF_HUB_OFFLINE"] = value }).Offline.ShouldBe(offline);

    [Fact]
    public void Unusable_settings_are_told_together_and_a_token_is_never_shown()
    {
        InputException error = Should.Throw<InputException>(() => Read(new() { ["HF_ENDPOINT"] = "hub.example", ["HF_TOKEN"] = "hf_sec\nret" }));
        error.Problems.Count.ShouldBe(2);
        error.Message.ShouldContain("hub.example");
        error.Message.ShouldNotContain("hf_sec");
    }

    [Fact]
    public void Options_do_not_show_the_token() => $"{Read(new() { ["HF_TOKEN"] = "hf_secret" })}".ShouldNotContain("hf_secret");

    private HubOptions Read(Dictionary<string, string> variables) =>
        HubOptions.FromEnvironment(name => name == "HOME" ? _home.FullName : variables.GetValueOrDefault(name));
}
