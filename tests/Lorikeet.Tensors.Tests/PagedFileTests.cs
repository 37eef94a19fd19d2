using System.Globalization;

namespace Lorikeet.Tensors.Tests;

public sealed class PagedFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-");

    [Fact]
    public void What_is_released_is_there_when_it_is_read_again()
    {
        using PagedFile file = PagedFile.Create(_folder.FullName, 100_000);
        Tensor numbers = Tensor.FromBytes(file.Bytes, Kernels.DType.F32, new Shape(25_000));
        numbers.Values.ToArray().ShouldAllBe(value => value == 0);
        for (int i = 0; i < 25_000; i++)
            numbers.Values[i] = i;
        // parts that begin and end inside a page
        file.Release(file.Bytes.Slice(100, 60_000));
        file.Release(file.Bytes);
        for (int i = 0; i < 25_000; i++)
            numbers.Values[i].ShouldBe(i);
    }

    [Fact]
    public void What_is_released_takes_no_memory()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("the system does not tell how much of a file is in memory");
        const long size = 64 << 20;
        using PagedFile file = PagedFile.Create(_folder.FullName, size);
        Tensor bytes = Tensor.FromBytes(file.Bytes, Kernels.DType.F32, new Shape((int)(size / 4)));
        long before = MappedBytes();
        bytes.Fill(1);
        (MappedBytes() - before).ShouldBeGreaterThan(size * 9 / 10);
        file.Release(file.Bytes);
        (MappedBytes() - before).ShouldBeLessThan(size / 10);
    }

    [Fact]
    public void Nothing_is_left()
    {
        PagedFile file = PagedFile.Create(Path.Combine(_folder.FullName, "made"), 5000);
        if (!OperatingSystem.IsWindows())
            Directory.GetFiles(_folder.FullName, "*", SearchOption.AllDirectories).ShouldBeEmpty("a killed process leaves nothing either");
        file.Dispose();
        file.Dispose();
        Directory.GetFiles(_folder.FullName, "*", SearchOption.AllDirectories).ShouldBeEmpty();
        Should.Throw<ObjectDisposedException>(() => file.Release(default));
    }

    [Fact]
    public void A_folder_that_takes_no_file_is_told()
    {
        string file = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(file, "");
        Should.Throw<UnavailableException>(() => PagedFile.Create(Path.Combine(file, "below"), 5000)).Message.ShouldContain("below: no file of");
    }

    [Fact]
    public void A_disk_without_room_is_told_before_anything_is_written()
    {
        long free = new DriveInfo(_folder.FullName).AvailableFreeSpace;
        Should.Throw<UnavailableException>(() => PagedFile.Create(_folder.FullName, free + (1L << 34))).Message.ShouldContain("make room, or choose another folder");
        _folder.GetFiles().ShouldBeEmpty();
    }

    public void Dispose() => _folder.Delete(recursive: true);

    // pages of files, also of those in memory alone (/tmp may be), that this process has mapped and that are there
    private static long MappedBytes() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("RssFile", StringComparison.Ordinal) || line.StartsWith("RssShmem", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)) * 1024;
}
