using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Training.Tests;

/// <summary>Torch's AdamW and bitsandbytes' AdamW in eight bits, step by step on gradients that do not depend on the weights.</summary>
public class AdamWTests
{
    private static readonly JsonElement Index = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("optim", "index.json"))).RootElement;

    [Theory]
    [InlineData("adamw", "adamw")]
    [InlineData("adamw_b95_wd", "adamw")]
    [InlineData("adamw_varying_lr", "adamw")]
    [InlineData("adamw", "paged_adamw")]
    // smaller tensors than 4096 are not quantised
    [InlineData("adamw_b95_wd", "adamw_8bit")]
    public void Thirty_steps_in_singles_follow_torch(string id, string optimizer)
    {
        JsonElement known = Case("small", id);
        using Run run = new("small", ["w", "b", "v"], known.GetProperty("hyper"), OptimizerKind.Parse(optimizer)!.Value);
        using SafetensorsFile traces = Open("small-traces");
        for (int step = 0; step < 30; step++)
        {
            run.Step(known.TryGetProperty("lr_by_step", out JsonElement rates) ? rates[step].GetDouble() : known.GetProperty("hyper").GetProperty("lr").GetDouble());
            foreach (Parameter parameter in run.Trainables.Parameters)
                Apart(parameter.Value, Row(traces, $"{id}|{parameter.Name}", step, (int)parameter.Shape.Elements)).ShouldBeLessThan(1e-6, $"{parameter.Name}, step {step + 1}");
        }
        foreach ((Parameter parameter, Moments moments) in run.Trainables.Parameters.Zip(run.Optimizer.Moments))
        {
            Apart(moments.Mean, Row(traces, $"{id}|state.{parameter.Name}.exp_avg", 0, (int)parameter.Shape.Elements)).ShouldBeLessThan(1e-6);
            Apart(moments.Square, Row(traces, $"{id}|state.{parameter.Name}.exp_avg_sq", 0, (int)parameter.Shape.Elements)).ShouldBeLessThan(1e-6);
        }
    }

    [Theory]
    [InlineData("adamw_8bit")]
    [InlineData("paged_adamw_8bit")]
    public void Twelve_steps_in_eight_bits_follow_exact_rounding(string optimizer)
    {
        JsonElement known = Case("bits8", "adamw8bit_nearest");
        using Run run = new("bits8", ["w", "b"], known.GetProperty("hyper"), OptimizerKind.Parse(optimizer)!.Value);
        using SafetensorsFile traces = Open("bits8-traces");
        int[] snapshots = [.. known.GetProperty("w_snapshots_after_steps").EnumerateArray().Select(step => step.GetInt32())];
        Parameter w = run.Trainables.Parameters[0], b = run.Trainables.Parameters[1];
        for (int step = 1; step <= 12; step++)
        {
            run.Step(known.GetProperty("hyper").GetProperty("lr").GetDouble());
            Apart(b.Value, Row(traces, "adamw8bit|b", step - 1, 30)).ShouldBeLessThan(1e-6, $"step {step}");
            if (Array.IndexOf(snapshots, step) is >= 0 and int snapshot)
                Apart(w.Value, Row(traces, "adamw8bit_nearest|w", snapshot, 64 * 72)).ShouldBeLessThan(step <= 2 ? 1e-4 : 5e-3, $"step {step}");
        }
        // the first row never gets a gradient: it only decays
        Span<float> start = Row(run.Inputs, "p0.w", 0, 72), end = w.Value.Row(0);
        for (int i = 0; i < 72; i++)
            end[i].ShouldBe(start[i] * MathF.Pow(1 - 0.01f * 0.05f, 12), 1e-6f);
    }

    [Theory]
    [InlineData("adamw8bit")]
    [InlineData("paged_adamw8bit")]
    [InlineData("adam8bit")]
    public void Codes_after_a_step_are_those_of_bitsandbytes_as_far_as_its_table_can_tell(string id)
    {
        using Run run = new("bits8", ["w", "b"], Case("bits8", id).GetProperty("hyper"), new OptimizerKind(EightBit: true, Paged: false));
        using SafetensorsFile traces = Open("bits8-traces");
        run.Step(0.01);
        Moments moments = run.Optimizer.Moments[0];
        Apart(run.Trainables.Parameters[0].Value, Row(traces, $"{id}|w", 0, 64 * 72)).ShouldBeLessThan(1e-4);
        Apart(moments.MeanScales!, Row(traces, $"{id}|state1.absmax1", 0, 18)).ShouldBeLessThan(1e-7);
        Apart(moments.SquareScales!, Row(traces, $"{id}|state1.absmax2", 0, 18)).ShouldBeLessThan(1e-7);
        float[] gradient = Row(run.Inputs, "g.w", 0, 64 * 72);
        double[] betas = id == "adam8bit" ? [0.85, 0.99] : [0.9, 0.999];
        AsNear(DynamicMap.Signed, moments.Mean, traces.Find($"{id}|state1.state1")!, i => (1 - betas[0]) * gradient[i], moments.MeanScales!);
        AsNear(DynamicMap.Unsigned, moments.Square, traces.Find($"{id}|state1.state2")!, i => (1 - betas[1]) * gradient[i] * gradient[i], moments.SquareScales!);
    }

    // its quantiser looks numbers up in a table of 65536 steps between -1 and 1: it can be wrong by half of one
    private static void AsNear(ReadOnlySpan<float> map, Tensor ours, StoredTensor theirs, Func<int, double> moment, Tensor scales)
    {
        const double step = 2.0 / 65535;
        ReadOnlySpan<byte> mine = ours.Contents.Span, given = theirs.Bytes.Span;
        int apart = 0;
        for (int i = 0; i < mine.Length; i++)
        {
            double x = moment(i) / scales.Values[i / 256];
            Math.Abs(map[mine[i]] - x).ShouldBeLessThanOrEqualTo(Math.Abs(map[given[i]] - x) + 1e-7, $"element {i}");
            Math.Abs(map[given[i]] - x).ShouldBeLessThanOrEqualTo(Math.Abs(map[mine[i]] - x) + 1.01 * step, $"element {i}");
            // where the map is coarser than the table both have the same answer, unless the number lies on a border
            apart += mine[i] != given[i] && Math.Abs(x) > 0.01 ? 1 : 0;
        }
        ((double)apart / mine.Length).ShouldBeLessThan(0.01);
    }

    [Fact]
    public void Clipping_multiplies_by_torchs_coefficient()
    {
        using SafetensorsFile clipping = Open("clipping");
        foreach (JsonElement known in Index.GetProperty("clipping").GetProperty("cases").EnumerateArray())
        {
            if (!known.TryGetProperty("norm_type", out JsonElement type) || type.ToString() != "2.0")
                continue;
            string id = known.GetProperty("id").GetString()!;
            int count = known.GetProperty("tensors").GetInt32();
            StoredTensor[] given = [.. Enumerable.Range(0, count).Select(j => clipping.Find($"{id}|in.{j}")!)];
            double norm = Math.Sqrt(given.Sum(tensor => MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span).ToArray().Sum(value => (double)value * value)));
            norm.ShouldBe(known.GetProperty("total_norm").GetDouble(), 1e-6 * norm + 1e-12);
            float scale = (float)Math.Min(1, known.GetProperty("max_norm").GetDouble() / (norm + 1e-6));
            for (int j = 0; j < count; j++)
            {
                float[] values = MemoryMarshal.Cast<byte, float>(given[j].Bytes.Span).ToArray(), clipped = Row(clipping, $"{id}|out.{j}", 0, values.Length);
                for (int i = 0; i < values.Length; i++)
                    (values[i] * scale).ShouldBe(clipped[i], 1e-6f * MathF.Abs(clipped[i]) + 1e-12f);
            }
        }
    }

    private static JsonElement Case(string set, string id) => Index.GetProperty(set).EnumerateArray().First(known => known.GetProperty("id").GetString() == id);

    private static SafetensorsFile Open(string name) => SafetensorsFile.Open(GoldenData.Path("optim", name + ".safetensors"));

    private static float[] Row(SafetensorsFile file, string name, int row, int count) =>
        MemoryMarshal.Cast<byte, float>(file.Find(name).ShouldNotBeNull(name).Bytes.Span).Slice(row * count, count).ToArray();

    private static double Apart(Tensor ours, float[] theirs)
    {
        double apart = 0;
        Span<float> values = ours.Values;
        for (int i = 0; i < theirs.Length; i++)
            apart = Math.Max(apart, Math.Abs(values[i] - theirs[i]));
        return apart;
    }

    private sealed class Run : IDisposable
    {
        private int _step;

        public Run(string set, string[] names, JsonElement hyper, OptimizerKind kind)
        {
            Inputs = Open(set + "-inputs");
            double[] betas = hyper.TryGetProperty("betas", out JsonElement given) ? [.. given.EnumerateArray().Select(beta => beta.GetDouble())] : [0.9, 0.999];
            // the reference lets vectors decay, too: here they are matrices of one row
            Trainables = new Trainables([.. names.Select(name =>
            {
                StoredTensor start = Inputs.Find("p0." + name)!;
                Shape shape = start.Shape.Count == 1 ? new Shape(1, (int)start.Shape[0]) : new Shape((int)start.Shape[0], (int)start.Shape[1]);
                return new Parameter(name, Tensor.FromValues(MemoryMarshal.Cast<byte, float>(start.Bytes.Span), shape));
            })]);
            Optimizer = new AdamW(Trainables, betas[0], betas[1], Number("eps", 1e-8), Number("weight_decay", set == "bits8" ? 0 : 0.01), kind);

            double Number(string name, double fallback) => hyper.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : fallback;
        }

        public SafetensorsFile Inputs { get; }

        public Trainables Trainables { get; }

        public AdamW Optimizer { get; }

        public void Step(double rate)
        {
            foreach (Parameter parameter in Trainables.Parameters)
                Row(Inputs, "g." + parameter.Name, _step, (int)parameter.Shape.Elements).CopyTo(parameter.Grad!.Values);
            _step++;
            Optimizer.Step(rate);
        }

        public void Dispose()
        {
            Optimizer.Dispose();
            Inputs.Dispose();
        }
    }
}
