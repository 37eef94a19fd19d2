namespace Lorikeet.Kernels.Tests;

public sealed class KernelChoiceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-kernels").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "deep", "rates.txt");

    [Fact]
    public void Rates_are_measured_once_and_then_read()
    {
        Assert.SkipUnless(Isa.Tier.Compiled() != Isa.Tier, "no assembled kernels here");
        KernelRates measured = KernelChoice.Find(File);
        measured.Compiled.ShouldBeGreaterThan(0);
        measured.Assembled.ShouldBeGreaterThan(0);
        KernelChoice.Find(File).ShouldBe(measured);
    }

    [Theory]
    [InlineData("")]
    [InlineData("something else\n1\n2\n3\n")]
    [InlineData("lorikeet kernel rates 1\n1\n")]
    [InlineData("lorikeet kernel rates 1\nNaN\n2\n3\n")]
    [InlineData("lorikeet kernel rates 1\n-1\n2\n3\n")]
    [InlineData("lorikeet kernel rates 1\n1\n1e300\n3\n")]
    [InlineData("\0\0\0\0")]
    public void A_damaged_file_counts_as_none(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, text);
        KernelRates.Load(File).ShouldBeNull();
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_no_error()
    {
        System.IO.File.WriteAllText(Path.Combine(_folder, "file"), "");
        new KernelRates(1, 2, 3).Save(Path.Combine(_folder, "file", "rates.txt"));
        KernelRates.Load(Path.Combine(_folder, "file", "rates.txt")).ShouldBeNull();
    }

    [Fact]
    public void Rates_of_old_builds_go()
    {
        string folder = Path.GetDirectoryName(File)!;
        Directory.CreateDirectory(folder);
        for (int build = 0; build < 30; build++)
        {
            string old = Path.Combine(folder, $"kernels-x-{build}.txt");
            System.IO.File.WriteAllText(old, "");
            System.IO.File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-1 - build));
        }
        string other = Path.Combine(folder, "other.txt"), newest = Path.Combine(folder, "kernels-y-1.txt");
        System.IO.File.WriteAllText(other, "");
        new KernelRates(1, 2, 3).Save(newest);
        Directory.GetFiles(folder).Length.ShouldBe(17);
        foreach (string kept in new[] { other, newest, Path.Combine(folder, "kernels-x-0.txt") })
            System.IO.File.Exists(kept).ShouldBeTrue(kept);
    }

    [Fact]
    public void Every_choice_has_its_reason()
    {
        KernelChoice.Reasons.ShouldNotBeEmpty();
        KernelChoice.Single.Compiled().ShouldBe(Isa.Tier.Compiled());
    }
}
