using System.Text.Json;
using Lorikeet.Models;

namespace Lorikeet.Peft.Tests;

/// <summary>A merged model as a folder of its own.</summary>
public class MergedFolderTests
{
    public static TheoryData<string> Cases => PeftConformanceTests.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_merged_folder_loads_and_computes_what_the_adapter_did(string name)
    {
        string folder = GoldenData.Path("peft", name), outputs = Path.Combine(folder, "io.safetensors");
        using JsonDocument info = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        if (!info.RootElement.GetProperty("mergeable").GetBoolean())
            return;
        string source = GoldenData.Path("peft", info.RootElement.GetProperty("base").GetString()!);
        string adapterFolder = Path.Combine(folder, info.RootElement.GetProperty("adapter").GetString()!);
        string named = Path.Combine(adapterFolder, info.RootElement.GetProperty("adapter_name").GetString()!);
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            string merged = Path.Combine(temporary.FullName, "merged");
            using (PeftGolden golden = new(source, outputs))
            {
                AdapterFile.Load(golden.Model, Directory.Exists(named) ? named : adapterFolder).Merge();
                ModelFolder.Save(golden.Model, source, merged, stop: TestContext.Current.CancellationToken);
            }
            using PeftGolden again = new(merged, outputs);
            again.Difference(again.Logits(), "logits_adapter").ShouldBeLessThan(1e-4f);
            // one end of a tied model may have its own table now
            if (name.Contains("/untied-", StringComparison.Ordinal))
                JsonDocument.Parse(File.ReadAllText(Path.Combine(merged, "config.json"))).RootElement.GetProperty("tie_word_embeddings").GetBoolean().ShouldBeFalse();
            else
                File.ReadAllBytes(Path.Combine(merged, "config.json")).ShouldBe(File.ReadAllBytes(Path.Combine(source, "config.json")));
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }
}
