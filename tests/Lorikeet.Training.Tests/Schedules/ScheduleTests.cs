using System.Text.Json;

namespace Lorikeet.Training.Tests;

public sealed class ScheduleTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("optim", "schedules.json"))).RootElement;

    [Fact]
    public void Every_schedule_of_the_reference_is_equal_to_the_last_bit()
    {
        int compared = 0;
        foreach (JsonElement golden in Golden.GetProperty("schedules").EnumerateArray())
        {
            if (golden.GetProperty("name").GetString() == "reduce_lr_on_plateau")
                continue;
            JsonElement arguments = golden.GetProperty("kwargs");
            double baseRate = golden.GetProperty("base_lr").GetDouble();
            string name = golden.GetProperty("name").GetString()!;
            // the reference's "constant" ignores warm-up; ours is its constant_with_warmup
            int warmup = name == "constant" ? 0 : golden.GetProperty("warmup_steps").GetInt32();
            ScheduleOptions options = new()
            {
                Kind = KindOf(name),
                Cycles = Number(arguments, "num_cycles"),
                Power = Number(arguments, "power"),
                EndLr = Number(arguments, "lr_end"),
                Timescale = (int?)Number(arguments, "timescale"),
                MinLrRatio = Number(arguments, "min_lr_rate") ?? Number(arguments, "min_lr") / baseRate ?? Number(arguments, "min_lr_ratio"),
                WarmupFrom = Number(arguments, "warmup_lr_rate"),
                StableSteps = (int?)Number(arguments, "num_stable_steps"),
                DecaySteps = (int?)Number(arguments, "num_decay_steps"),
                WarmupShape = Shape(arguments, "warmup_type"),
                DecayShape = Shape(arguments, "decay_type"),
            };
            Schedule schedule = new(options, baseRate, warmup, golden.GetProperty("training_steps").GetInt32());

            int step = 0;
            foreach (JsonElement rate in golden.GetProperty("lr").EnumerateArray())
            {
                BitConverter.DoubleToInt64Bits(schedule.At(step)).ShouldBe(
                    BitConverter.DoubleToInt64Bits(rate.GetDouble()), $"{name} {arguments} warm-up {warmup}, step {step}: {schedule.At(step):R} and {rate}");
                step++;
                compared++;
            }
        }
        compared.ShouldBe(40 * 46);
    }

    [Fact]
    public void A_plateau_shrinks_the_rate_as_the_reference_does()
    {
        int cases = 0;
        foreach (JsonElement golden in Golden.GetProperty("schedules").EnumerateArray())
        {
            if (golden.GetProperty("name").GetString() != "reduce_lr_on_plateau")
                continue;
            cases++;
            JsonElement arguments = golden.GetProperty("kwargs");
            Plateau plateau = new()
            {
                Factor = Number(arguments, "factor") ?? 0.1,
                Patience = (int?)Number(arguments, "patience") ?? 10,
                Cooldown = (int?)Number(arguments, "cooldown") ?? 0,
                MinRate = Number(arguments, "min_lr") ?? 0,
                Threshold = Number(arguments, "threshold") ?? 1e-4,
                Absolute = arguments.TryGetProperty("threshold_mode", out JsonElement mode) && mode.GetString() == "abs",
                Maximise = arguments.TryGetProperty("mode", out JsonElement direction) && direction.GetString() == "max",
                State = new PlateauState(golden.GetProperty("base_lr").GetDouble(), null, 0, 0),
            };
            foreach ((JsonElement rate, JsonElement metric) in golden.GetProperty("lr").EnumerateArray().Zip(golden.GetProperty("metrics").EnumerateArray()))
            {
                plateau.State.Rate.ShouldBe(rate.GetDouble());
                plateau.Observe(metric.GetDouble());
            }
        }
        cases.ShouldBe(3);
    }

    [Fact]
    public void The_plateau_goes_on_from_its_saved_state()
    {
        ScheduleOptions options = new() { Kind = ScheduleKind.ReduceOnPlateau, Factor = 0.5, Patience = 1 };
        Schedule whole = new(options, 1e-3, 0, 100);
        Schedule first = new(options, 1e-3, 0, 100);
        double[] losses = [3, 2, 2.5, 2.4, 2.3, 1.9, 2, 2, 2, 2];
        foreach (double loss in losses)
            whole.Observe(loss);
        foreach (double loss in losses.AsSpan(0, 4))
            first.Observe(loss);
        Schedule second = new(options, 1e-3, 0, 100) { State = first.State };
        foreach (double loss in losses.AsSpan(4))
            second.Observe(loss);
        second.State.ShouldBe(whole.State);
        second.At(10).ShouldBe(whole.At(10));
        second.At(10).ShouldBeLessThan(1e-3);
    }

    [Fact]
    public void A_warmup_ratio_becomes_steps_as_in_the_reference()
    {
        foreach (JsonElement row in Golden.GetProperty("warmup_steps_table").GetProperty("rows").EnumerateArray())
        {
            double argument = row[1].GetDouble();
            if (argument < 1)
                Schedule.WarmupSteps(argument, row[0].GetInt32()).ShouldBe(row[2].GetInt32(), row.ToString());
        }
    }

    [Fact]
    public void A_polynomial_that_would_rise_is_refused() =>
        Should.Throw<ArgumentException>(() => new Schedule(new() { Kind = ScheduleKind.Polynomial, EndLr = 1 }, 1e-3, 0, 10)).Message.ShouldContain("below the base rate");

    [Fact]
    public void A_run_shorter_than_its_warmup_never_divides_by_zero()
    {
        foreach (ScheduleKind kind in Enum.GetValues<ScheduleKind>())
        {
            foreach ((int warmup, int total) in ((int, int)[])[(0, 1), (1, 1), (5, 1), (0, 0), (3, 3)])
            {
                Schedule schedule = new(new() { Kind = kind }, 1e-3, warmup, total);
                for (int step = 0; step < 8; step++)
                    schedule.At(step).ShouldBeInRange(0, 1e-3, $"{kind} {warmup}/{total} step {step}");
            }
        }
    }

    private static ScheduleKind KindOf(string name) => name switch
    {
        "constant" or "constant_with_warmup" => ScheduleKind.Constant,
        "linear" => ScheduleKind.Linear,
        "cosine" or "cosine_with_min_lr" => ScheduleKind.Cosine,
        "cosine_with_restarts" => ScheduleKind.CosineWithRestarts,
        "cosine_warmup_with_min_lr" => ScheduleKind.CosineFromFirstStep,
        "polynomial" => ScheduleKind.Polynomial,
        "inverse_sqrt" => ScheduleKind.InverseSqrt,
        "warmup_stable_decay" => ScheduleKind.WarmupStableDecay,
        _ => throw new ArgumentException(name),
    };

    private static double? Number(JsonElement arguments, string name) =>
        arguments.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : null;

    private static RampShape? Shape(JsonElement arguments, string name) => !arguments.TryGetProperty(name, out JsonElement value)
        ? null
        : value.GetString() switch { "linear" => RampShape.Linear, "cosine" => RampShape.Cosine, _ => RampShape.InverseSqrt };
}
