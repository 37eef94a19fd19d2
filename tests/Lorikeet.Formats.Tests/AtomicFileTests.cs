using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_appears_with_its_whole_contents()
    {
        AtomicFile.WriteText(_folder.File("new/config.json"), "{}é");
        File.ReadAllBytes(_folder.File("new/config.json")).ShouldBe(Encoding.UTF8.GetBytes("{}é"));
    }

    [Fact]
    public void An_older_file_is_replaced_and_nothing_is_left_aside()
    {
        string path = _folder.Write("a.bin", "old");
        AtomicFile.WriteBytes(path, new byte[] { 1, 2 });
        File.ReadAllBytes(path).ShouldBe([1, 2]);
        _folder.Entries.ShouldBe(["a.bin"]);
    }

    [Fact]
    public void Until_the_last_byte_is_written_readers_see_the_old_file()
    {
        string path = _folder.Write("a.txt", "old");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("half"u8);
            stream.Flush();
            File.ReadAllText(path).ShouldBe("old");
        });
        File.ReadAllText(path).ShouldBe("half");
    }

    [Fact]
    public void A_failure_in_the_middle_leaves_the_old_file_and_removes_what_was_begun()
    {
        string path = _folder.Write("a.txt", "old");
        Should.Throw<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new InvalidOperationException("in the middle");
        }));
        File.ReadAllText(path).ShouldBe("old");
        _folder.Entries.ShouldBe(["a.txt"]);
    }

    private const int NoSpace = 28;

    [Fact]
    public void Who_adds_to_a_file_is_not_told_that_it_is_unchanged()
    {
        string path = _folder.Write("a.txt", "old"), said = WriteFailure.OfAddition(path, new IOException("No space left on device", NoSpace)).Message;
        said.ShouldStartWith($"{path}: the disk is full");
        said.ShouldContain("what was written before is kept");
        said.ShouldNotContain("unchanged");
    }

    [Fact]
    public void A_full_disk_is_reported_with_the_path_and_loses_nothing()
    {
        string path = _folder.Write("a.txt", "old");
        UnavailableException e = Should.Throw<UnavailableException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("No space left on device", NoSpace);
        }));
        e.Message.ShouldStartWith($"{path}: the disk is full");
        e.Message.ShouldContain("bytes of free space");
        e.Message.ShouldContain("Make room");
        File.ReadAllText(path).ShouldBe("old");
        _folder.Entries.ShouldBe(["a.txt"]);
    }

    [Fact]
    public void A_place_that_is_a_folder_is_refused()
    {
        Directory.CreateDirectory(_folder.File("taken"));
        Should.Throw<InputException>(() => AtomicFile.WriteText(_folder.File("taken"), "x")).Message.ShouldContain("taken");
        _folder.Entries.ShouldBe(["taken"]);
    }

    [Fact]
    public void What_killed_processes_left_can_be_swept_away()
    {
        _folder.Write(".a.txt.1-1-00000000.unfinished", "half");
        Directory.CreateDirectory(_folder.File(".step-10.1-2-00000000.unfinished/deep"));
        _folder.Write("a.txt", "whole");
        AtomicFile.RemoveUnfinished(_folder.Path).ShouldBe(2);
        _folder.Entries.ShouldBe(["a.txt"]);
        AtomicFile.RemoveUnfinished(_folder.File("no-such-folder")).ShouldBe(0);
    }
}
