using System.Text.Json;
using Lorikeet.Cli.Tests;

namespace Lorikeet.EndToEnd.Tests;

public sealed class DoctorCommandTests
{
    [Fact]
    public void Features_choices_and_peaks_are_told_as_json()
    {
        JsonElement found = JsonDocument.Parse(CommandRun.Of("doctor", "--json").Succeeded().Output).RootElement;
        found.GetProperty("processor").GetString().ShouldNotBeNullOrEmpty();
        found.GetProperty("features").GetArrayLength().ShouldBeGreaterThan(0);
        found.GetProperty("kernels").GetProperty("why").GetArrayLength().ShouldBeGreaterThan(0);
        JsonElement peaks = found.GetProperty("peaks");
        foreach (string peak in new[] { "f32_gflops", "memory_gb_s" })
        {
            peaks.GetProperty(peak).GetProperty("one").GetDouble().ShouldBeGreaterThan(0);
            peaks.GetProperty(peak).GetProperty("all").GetDouble().ShouldBeGreaterThan(0);
        }
        bool bf16 = found.GetProperty("features").EnumerateArray().Any(feature => feature.GetString() == "avx512-bf16");
        if (!bf16)
            found.GetProperty("lost").GetArrayLength().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void People_read_a_page()
    {
        string[] lines = CommandRun.Of("doctor").Succeeded().Lines;
        lines[0].ShouldStartWith("processor");
        lines.ShouldContain(line => line.StartsWith("f32 multiply-adds", StringComparison.Ordinal));
    }
}
