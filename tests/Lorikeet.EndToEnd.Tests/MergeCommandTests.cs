using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Cli.Tests;
using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet merge</c> against what the adapter computes live.</summary>
public sealed class MergeCommandTests : IDisposable
{
    private static readonly string Case = GoldenData.Path("peft", "lora", "all-linear-llama");
    private static readonly string Base = GoldenData.Path("peft", "bases", "llama");
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("lorikeet-");

    private string Merged => Path.Combine(_temporary.FullName, "merged");

    public void Dispose() => _temporary.Delete(recursive: true);

    [Fact]
    public void The_merged_folder_gives_the_logits_of_the_live_adapter()
    {
        CommandRun.Of("merge", Base, "--adapter", AdapterOf(Case), "--out", Merged).Succeeded();
        string output = Path.Combine(_temporary.FullName, "merged.safetensors"), golden = Path.Combine(Case, "io.safetensors");
        CommandRun.Of("forward", Merged, golden, "--out", output).Succeeded();
        using ITensorSource theirs = TensorFiles.Open(golden), ours = TensorFiles.Open(output);
        ReadOnlySpan<float> expected = MemoryMarshal.Cast<byte, float>(theirs.Find("logits_adapter")!.Bytes.Span), found = MemoryMarshal.Cast<byte, float>(ours.Find("logits")!.Bytes.Span);
        ReadOnlySpan<long> mask = MemoryMarshal.Cast<byte, long>(theirs.Find("attention_mask")!.Bytes.Span);
        found.Length.ShouldBe(expected.Length);
        int vocabulary = found.Length / mask.Length;
        float worst = 0;
        for (int i = 0; i < found.Length; i++)
            worst = mask[i / vocabulary] == 0 ? worst : Math.Max(worst, Math.Abs(found[i] - expected[i]));
        worst.ShouldBeLessThan(1e-4f);
        File.ReadAllBytes(Path.Combine(Merged, "config.json")).ShouldBe(File.ReadAllBytes(Path.Combine(Base, "config.json")));
    }

    [Fact]
    public void A_model_that_is_there_is_replaced_only_when_told()
    {
        CommandRun.Of("merge", Base, "--adapter", AdapterOf(Case), "--out", Merged).Succeeded();
        File.WriteAllText(Path.Combine(Merged, "old.txt"), "");
        CommandRun refused = CommandRun.Of("merge", Base, "--adapter", AdapterOf(Case), "--out", Merged);
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("--overwrite");
        File.Exists(Path.Combine(Merged, "old.txt")).ShouldBeTrue();
        CommandRun.Of("merge", Base, "--adapter", AdapterOf(Case), "--out", Merged, "--overwrite", "--dtype", "bf16").Succeeded();
        Directory.EnumerateFiles(Merged).Select(Path.GetFileName).ShouldNotContain("old.txt");
    }

    [Fact]
    public void What_is_no_model_is_never_replaced()
    {
        Directory.CreateDirectory(Merged);
        File.WriteAllText(Path.Combine(Merged, "thesis.txt"), "years of work");
        CommandRun refused = CommandRun.Of("merge", Base, "--adapter", AdapterOf(Case), "--out", Merged, "--overwrite");
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("config.json");
        File.ReadAllText(Path.Combine(Merged, "thesis.txt")).ShouldBe("years of work");
    }

    [Fact]
    public void A_method_that_is_no_change_of_weights_is_refused_with_its_reason()
    {
        string prefix = Directory.EnumerateDirectories(GoldenData.Path("peft", "prefix-tuning")).First(folder => BaseOf(folder) == "bases/llama");
        CommandRun run = CommandRun.Of("merge", Base, "--adapter", AdapterOf(prefix), "--out", Merged);
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("cannot be merged");
        Directory.Exists(Merged).ShouldBeFalse();
    }

    private static string AdapterOf(string folder)
    {
        JsonElement info = Info(folder);
        string adapter = Path.Combine(folder, info.GetProperty("adapter").GetString()!);
        string named = Path.Combine(adapter, info.GetProperty("adapter_name").GetString()!);
        return Directory.Exists(named) ? named : adapter;
    }

    private static string BaseOf(string folder) => Info(folder).GetProperty("base").GetString()!;

    private static JsonElement Info(string folder) => JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json"))).RootElement;
}
