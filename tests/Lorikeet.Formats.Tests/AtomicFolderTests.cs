using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class AtomicFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_folder_appears_when_it_is_complete()
    {
        string path = _folder.File("adapter");
        AtomicFolder.Write(path, aside =>
        {
            File.WriteAllText(Path.Combine(aside, "a"), "1");
            Directory.CreateDirectory(Path.Combine(aside, "deep"));
            File.WriteAllText(Path.Combine(aside, "deep", "b"), "2");
            Directory.Exists(path).ShouldBeFalse();
        });
        File.ReadAllText(Path.Combine(path, "deep", "b")).ShouldBe("2");
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void An_older_folder_is_replaced_as_a_whole()
    {
        string path = Old();
        AtomicFolder.Write(path + "/", aside =>
        {
            File.ReadAllText(Path.Combine(path, "old")).ShouldBe("old");
            File.WriteAllText(Path.Combine(aside, "new"), "new");
        });
        Directory.GetFileSystemEntries(path).ShouldBe([Path.Combine(path, "new")]);
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void A_failure_in_the_middle_leaves_the_old_folder()
    {
        string path = Old();
        Should.Throw<InputException>(() => AtomicFolder.Write(path, aside =>
        {
            File.WriteAllText(Path.Combine(aside, "new"), "new");
            throw new IOException("No space left on device");
        })).Message.ShouldContain("No space left on device");
        File.ReadAllText(Path.Combine(path, "old")).ShouldBe("old");
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void What_stands_in_the_way_is_told_before_the_work_and_after()
    {
        File.WriteAllText(_folder.File("taken"), "");
        string beneath = Path.Combine(_folder.File("taken"), "deeper", "adapter");
        string obstacle = $"({_folder.File("taken")} is a file, where a folder is needed)";
        Should.Throw<InputException>(() => AtomicFolder.Check(beneath, "config.json", "--out x")).Message.ShouldBe($"--out x: cannot be written {obstacle}; choose another place, or make this one free");
        Should.Throw<InputException>(() => AtomicFile.Check(beneath)).Message.ShouldStartWith($"{beneath}: cannot be written {obstacle}");
        Should.Throw<InputException>(() => AtomicFile.WriteText(beneath, "")).Message.ShouldContain(obstacle);
        Should.Throw<InputException>(() => AtomicFolder.Write(beneath, _ => { })).Message.ShouldContain(obstacle);
        Should.Throw<InputException>(() => AtomicFolder.Check(_folder.File("taken"), "config.json")).Message.ShouldContain("is a file; a folder is to be written there");
        Directory.CreateDirectory(_folder.File("there"));
        Should.Throw<InputException>(() => AtomicFile.Check(_folder.File("there"))).Message.ShouldContain("(it is a folder)");
        AtomicFolder.Check(Path.Combine(_folder.File("new"), "deeper"), "config.json");
        _folder.Entries.ShouldBe(["taken", "there"], ignoreOrder: true, "looking leaves nothing behind");
    }

    [Fact]
    public void A_folder_that_takes_nothing_is_told()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("/proc is of Linux");
        Should.Throw<InputException>(() => AtomicFile.Check("/proc/adapter/x")).Message.ShouldStartWith("/proc/adapter/x: cannot be written (the system lets nothing be put into /proc)");
    }

    [Fact]
    public void A_full_disk_is_told_by_the_final_name_of_the_file()
    {
        string path = Old();
        string message = Should.Throw<UnavailableException>(() => AtomicFolder.Write(path, aside =>
            AtomicFile.Write(Path.Combine(aside, "weights"), _ => throw new IOException("No space left on device", 28)))).Message;
        message.ShouldStartWith($"{Path.Combine(path, "weights")}: the disk is full");
        message.ShouldNotContain(AtomicFile.AsideSuffix);
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void Killed_before_the_old_folder_steps_aside_the_new_one_takes_over()
    {
        string path = Old();
        New(".adapter.new");
        AtomicFolder.Recover(path);
        File.ReadAllText(Path.Combine(path, "new")).ShouldBe("new");
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void Killed_between_the_two_renames_the_new_folder_takes_over()
    {
        string path = Old();
        Directory.Move(path, _folder.File(".adapter.old"));
        New(".adapter.new");
        AtomicFolder.Recover(path);
        File.ReadAllText(Path.Combine(path, "new")).ShouldBe("new");
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void Killed_before_the_old_folder_is_removed_it_goes_later()
    {
        string path = Old();
        New(".adapter.old");
        AtomicFolder.Recover(path);
        File.ReadAllText(Path.Combine(path, "old")).ShouldBe("old");
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void Without_an_interrupted_exchange_recovery_does_nothing()
    {
        AtomicFolder.Recover(_folder.File("adapter"));
        _folder.Entries.ShouldBeEmpty();
        AtomicFolder.Recover(Old());
        _folder.Entries.ShouldBe(["adapter"]);
    }

    [Fact]
    public void A_file_in_its_place_is_not_replaced()
    {
        string path = _folder.Write("adapter", "a file");
        Should.Throw<InputException>(() => AtomicFolder.Write(path, _ => { })).Message.ShouldContain("is a file");
        _folder.Entries.ShouldBe(["adapter"]);
    }

    private string Old()
    {
        string path = _folder.File("adapter");
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "old"), "old");
        return path;
    }

    private void New(string name)
    {
        Directory.CreateDirectory(_folder.File(name));
        File.WriteAllText(Path.Combine(_folder.File(name), "new"), "new");
    }
}
