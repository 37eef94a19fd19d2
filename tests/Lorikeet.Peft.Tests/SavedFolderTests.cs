using Lorikeet.Models;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>Where an adapter or a merged model may be written: never over what is something else.</summary>
public sealed class SavedFolderTests : IDisposable
{
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("lorikeet-");

    public void Dispose() => _temporary.Delete(recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_folder_of_other_things_stays_as_it_is(bool adapter)
    {
        string folder = Folder("documents"), file = Path.Combine(folder, "letter.txt");
        File.WriteAllText(file, "dear");
        Should.Throw<InputException>(() => Save(adapter, folder)).Message.ShouldContain(folder);
        File.ReadAllText(file).ShouldBe("dear");
        Directory.GetFileSystemEntries(_temporary.FullName).ShouldBe([folder]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_empty_folder_and_one_of_the_same_kind_are_replaced(bool adapter)
    {
        string folder = Folder("result");
        Save(adapter, folder);
        File.WriteAllText(Path.Combine(folder, "old.txt"), "");
        Save(adapter, folder);
        File.Exists(Path.Combine(folder, "old.txt")).ShouldBeFalse();
        File.Exists(Path.Combine(folder, adapter ? "adapter_config.json" : "config.json")).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_folder_with_more_of_the_same_kind_below_it_is_not_replaced(bool adapter)
    {
        string folder = Folder("all"), inner = Path.Combine(folder, "one");
        Save(adapter, inner);
        File.WriteAllText(Path.Combine(folder, adapter ? "adapter_config.json" : "config.json"), "{}");
        Should.Throw<InputException>(() => Save(adapter, folder)).Message.ShouldContain("one");
        Directory.Exists(inner).ShouldBeTrue();
    }

    [Fact]
    public void A_model_is_not_written_over_what_it_was_read_from()
    {
        string models = Folder("models"), source = Path.Combine(models, "a"), adapter = Path.Combine(models, "adapters", "b");
        Save(adapter: false, source);
        File.WriteAllText(Path.Combine(models, "config.json"), "{}");
        Directory.CreateDirectory(adapter);
        using PeftGolden golden = PeftGolden.OfBase("llama");
        foreach (string output in (string[])[models, source, source + Path.DirectorySeparatorChar, Path.Combine(source, "merged"), Path.Combine(models, "adapters"), Path.Combine(adapter, "x")])
        {
            InputException error = Should.Throw<InputException>(() => ModelFolder.Save(golden.Model, source, output, alsoRead: [adapter]));
            error.Message.ShouldContain("choose another folder");
        }
        File.Exists(Path.Combine(source, "config.json")).ShouldBeTrue();
        Directory.Exists(adapter).ShouldBeTrue();
        ModelFolder.Save(golden.Model, source, source + "-merged", alsoRead: [adapter], stop: TestContext.Current.CancellationToken);
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_temporary.FullName, name)).FullName;

    private static void Save(bool adapter, string folder)
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        if (adapter)
            AdapterFile.Save(AdapterFile.Create(golden.Model, new LoraMethod(), []), folder);
        else
            ModelFolder.Save(golden.Model, GoldenData.Path("peft", "bases", "llama"), folder);
    }
}
