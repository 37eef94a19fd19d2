using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Kernels;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet doctor</c>: what this machine offers, which kernels run and why, and what is lost where something is missing.</summary>
internal static class DoctorCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<bool> json = CommonOptions.Json("Print one JSON object");
        ExampleCommand command = new("doctor", "Tell what this machine can do, which kernels were chosen and why.", $"lorikeet doctor\nlorikeet doctor --json\n{Isa.Variable}=portable lorikeet doctor    # or reference, assembled: other kernels, for every command") { json };
        command.SetAction(parse =>
        {
            JsonObject found = Examine();
            if (parse.GetValue(json))
                terminal.Out.WriteLine(found.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JsonLineWriter.Compact.Encoder }));
            else
                Print(found, terminal.Out);
            return ExitCode.Success;
        });
        return command;
    }

    private static JsonObject Examine()
    {
        MachineSpeed speed = MachinePeak.Measure(quick: false);
        return new JsonObject
        {
            ["processor"] = ProcessorFeatures.Name,
            ["model"] = ProcessorFeatures.Model,
            ["processors"] = Environment.ProcessorCount,
            ["features"] = new JsonArray([.. ProcessorFeatures.Names.Select(name => (JsonNode)name)]),
            ["system"] = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}",
            ["kernels"] = new JsonObject
            {
                ["tier"] = Isa.Tier.ToString().ToLowerInvariant(),
                ["f32"] = KernelChoice.Single.ToString().ToLowerInvariant(),
                ["bf16_is_faster"] = KernelChoice.BF16IsFaster,
                ["int8_dots"] = KernelChoice.HasInt8,
                ["why"] = new JsonArray([.. KernelChoice.Reasons.Select(reason => (JsonNode)reason)]),
            },
            ["peaks"] = new JsonObject
            {
                ["threads"] = speed.Threads,
                ["f32_gflops"] = Both(speed.FmaOneCore, speed.FmaAllCores),
                ["bf16_gflops"] = Both(speed.BF16OneCore, speed.BF16AllCores),
                ["int8_gops"] = Both(speed.Int8OneCore, speed.Int8AllCores),
                ["memory_gb_s"] = Both(speed.ReadOneCore, speed.ReadAllCores),
            },
            ["lost"] = new JsonArray([.. Lost().Select(loss => (JsonNode)loss)]),
        };
    }

    /// <summary>What a better equipped machine, or other settings, would bring.</summary>
    private static IEnumerable<string> Lost()
    {
        if (Environment.GetEnvironmentVariable(Isa.Variable) is { Length: > 0 } wanted)
            yield return $"{Isa.Variable}={wanted} {(Isa.WhyOther is { } other ? $"is not followed: {other}" : "decides which kernels run: without it the fastest would")}";
        if (Isa.Widest == KernelTier.Reference)
        {
            yield return "no vector registers that .NET uses: plain loops run everything, many times slower than any other kernels";
            yield break;
        }
        if (Isa.WhyNotAssembled is { } reason)
        {
            yield return $"no assembled kernels: {reason}. Compiled ones run instead: products of singles are nearly as fast; those of bfloat16 run as singles, those of 8-bit codes in narrower registers";
            yield break;
        }
        if (!ProcessorFeatures.Avx512)
            yield return "no AVX-512: registers are half as wide, so products run at about half of the speed";
        if (!ProcessorFeatures.Avx512BF16)
            yield return "no AVX512-BF16: products that may be rounded to bfloat16 run in single precision";
        if (!ProcessorFeatures.Avx512Vnni && ProcessorFeatures.AvxVnni)
            yield return "no AVX512-VNNI: dot products of bytes run in registers half as wide (AVX-VNNI)";
        if (!KernelChoice.HasInt8 && !ProcessorFeatures.Avx512Vnni && !ProcessorFeatures.AvxVnni)
            yield return "no dot products of bytes (AVX512-VNNI, AVX-VNNI): --precision int8 multiplies quantised weights in several steps, which makes generating text slower";
    }

    private static JsonObject Both(double one, double all) => new() { ["one"] = BenchReport.Digits(one), ["all"] = BenchReport.Digits(all) };

    private static void Print(JsonObject found, TextWriter output)
    {
        JsonNode kernels = found["kernels"]!, peaks = found["peaks"]!;
        output.WriteLine($"processor  {found["processor"]} ({found["model"]}), {found["processors"]} processors");
        output.WriteLine($"features   {string.Join(' ', found["features"]!.AsArray().Select(name => (string)name!))}");
        output.WriteLine($"system     {found["system"]}");
        output.WriteLine($"kernels    {kernels["tier"]}");
        foreach (JsonNode? reason in kernels["why"]!.AsArray())
            output.WriteLine($"           {reason}");
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"at best",-32}{"one thread",12}{$"{peaks["threads"]} threads",12}"));
        foreach ((string key, string name) in new[] { ("f32_gflops", "f32 multiply-adds, GFLOP/s"), ("bf16_gflops", "bf16 dots, GFLOP/s"), ("int8_gops", "8-bit dots, Gop/s"), ("memory_gb_s", "memory reads, GB/s") })
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-32}{Figure(peaks[key]!["one"]!),12}{Figure(peaks[key]!["all"]!),12}"));
        if (found["lost"]!.AsArray() is { Count: > 0 } lost)
        {
            output.WriteLine();
            foreach (JsonNode? loss in lost)
                output.WriteLine($"lost: {loss}");
        }
    }

    private static string Figure(JsonNode value) => (double)value == 0 ? "none" : value.ToString();
}
