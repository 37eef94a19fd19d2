using System.Globalization;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class ExecutableMemoryTests
{
    [Fact]
    public void Our_code_can_be_read_and_run_but_never_written()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Isa.WhyNotAssembled is null, "the memory map is read from /proc");
        List<nint> published = [];
        for (int rows = 1; rows <= 6; rows++)
            published.Add(TileAssembler.Tile(TileKind.F32, 32, rows, 2, apart: false, inPlace: false).Publish());
        List<(nint Begin, nint End, string Rights)> map = Map();
        foreach (nint code in published)
            map.Single(region => region.Begin <= code && code < region.End).Rights.ShouldStartWith("r-xp");
    }

    [Fact]
    public void Publishing_leaves_no_region_that_can_be_written_and_run()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Isa.WhyNotAssembled is null, "the memory map is read from /proc");
        TileAssembler.Tile(TileKind.F32, 32, 3, 1, apart: true, inPlace: false).Publish();
        // the runtime keeps the same rule unless it is told not to
        Assert.SkipWhen(Environment.GetEnvironmentVariable("DOTNET_EnableWriteXorExecute") == "0", "the runtime was told to keep its own code writable");
        Map().Where(region => region.Rights.Contains('w', StringComparison.Ordinal) && region.Rights.Contains('x', StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void Code_runs_where_it_was_published()
    {
        Assert.SkipUnless(Isa.WhyNotAssembled is null, "no assembled code here");
        MachineCode code = new(32);
        code.Enter();
        code.Move(Iced.Intel.Register.RAX, MachineCode.Argument);
        code.AddTo(Iced.Intel.Register.RAX, 5);
        code.Leave();
        ((delegate* unmanaged[SuppressGCTransition]<nint, nint>)code.Publish())(37).ShouldBe(42);
    }

    private static List<(nint Begin, nint End, string Rights)> Map()
    {
        List<(nint Begin, nint End, string Rights)> regions = [];
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] fields = line.Split(' ');
            string[] range = fields[0].Split('-');
            regions.Add((nint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), nint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), fields[1]));
        }
        return regions;
    }
}
