namespace Lorikeet.Tensors.Tests;

public sealed class MappedFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-mapped-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_is_read_in_place()
    {
        string path = Path.Combine(_folder, "numbers");
        File.WriteAllBytes(path, [1, 2, 3, 4, 5]);
        using MappedFile file = MappedFile.Open(path);
        (file.Length, file.Path).ShouldBe((5L, path));
        file.Bytes.Slice(1, 3).Span.ToArray().ShouldBe([2, 3, 4]);
        file.Dispose();
        file.Dispose();
    }

    [Fact]
    public void Pages_that_are_released_take_no_memory_and_are_read_again()
    {
        string path = Path.Combine(_folder, "pages");
        byte[] bytes = new byte[1 << 20];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        using MappedFile file = MappedFile.Open(path);
        file.Bytes.Span.SequenceEqual(bytes).ShouldBeTrue();
        FilePages.Resident(path).ShouldBe(bytes.Length);
        // whole pages only: what lies beside the part stays
        file.Bytes.Slice(100, 500_000).Release();
        FilePages.Resident(path).ShouldBeInRange(bytes.Length - 500_000, bytes.Length - 500_000 + 2 * Environment.SystemPageSize);
        file.Bytes.Span.SequenceEqual(bytes).ShouldBeTrue();
        NativeBytes all = file.Bytes;
        file.Dispose();
        all.Release();
    }

    [Fact]
    public void Memory_of_its_own_is_not_touched_by_a_release()
    {
        Tensor numbers = Tensor.Create(new Shape(1 << 16));
        numbers.Fill(3);
        numbers.Contents.Release();
        numbers.Values.ToArray().ShouldAllBe(value => value == 3);
    }

    [Fact]
    public void An_empty_file_has_no_bytes()
    {
        string path = Path.Combine(_folder, "empty");
        File.WriteAllBytes(path, []);
        using MappedFile file = MappedFile.Open(path);
        file.Length.ShouldBe(0);
        file.Bytes.Span.Length.ShouldBe(0);
    }

    [Fact]
    public void What_is_no_file_is_named()
    {
        string missing = Path.Combine(_folder, "missing");
        Should.Throw<InputException>(() => MappedFile.Open(missing)).Message.ShouldBe($"{missing}: there is no such file");
        Should.Throw<InputException>(() => MappedFile.Open(_folder)).Message.ShouldBe($"{_folder}: is a folder, a file was expected");
        Should.Throw<InputException>(() => MappedFile.Open(""));
    }
}
