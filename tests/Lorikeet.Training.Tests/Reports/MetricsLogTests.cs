using System.Text;

namespace Lorikeet.Training.Tests;

public sealed class MetricsLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-metrics").FullName;

    private string Log => Path.Combine(_folder, "run", "metrics.jsonl");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_was_written_is_read_back()
    {
        StepReport odd = new(2, 200, 0.02, double.NaN, double.PositiveInfinity, 1e-4, 100, 50, 0.5);
        using (MetricsLog log = MetricsLog.Create(Log))
        {
            log.Add(new EvaluationReport(0, 3, 1000, true, 1.5));
            log.Add(Point(1));
            log.Add(odd);
            log.Flush();
        }
        File.ReadAllLines(Log)[1].ShouldBe("""{"step":1,"total_steps":200,"epoch":0.01,"loss":0.1,"grad_norm":1.25,"learning_rate":0.0005,"tokens":100,"target_tokens":50,"seconds":0.5}""");
        (IReadOnlyList<StepReport> steps, IReadOnlyList<EvaluationReport> evaluations) = MetricsLog.Read(Log);
        steps.ShouldBe([Point(1), odd]);
        evaluations.ShouldBe([new EvaluationReport(0, 3, 1000, true, 1.5)]);
    }

    [Fact]
    public void A_resumed_run_writes_over_what_came_after_its_checkpoint()
    {
        using (MetricsLog log = MetricsLog.Create(Log))
        {
            for (int step = 1; step <= 10; step++)
                log.Add(Point(step));
        }
        // the process was killed in the middle of a line
        File.AppendAllText(Log, "{\"step\":11,\"epo");
        using (MetricsLog log = MetricsLog.Resume(Log, 7))
            log.Add(Point(8));
        MetricsLog.Read(Log).Steps.ShouldBe(Enumerable.Range(1, 8).Select(Point));
        MetricsLog.Resume(Path.Combine(_folder, "new.jsonl"), 5).Dispose();
    }

    [Fact]
    public void Each_line_is_there_as_soon_as_it_is_written()
    {
        using MetricsLog log = MetricsLog.Create(Log);
        log.Add(Point(1));
        using FileStream reader = new(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        new StreamReader(reader, Encoding.UTF8).ReadToEnd().ShouldEndWith("}\n");
    }

    [Fact]
    public void Writing_allocates_nothing()
    {
        using MetricsLog log = MetricsLog.Create(Log);
        log.Add(Point(1));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 2; step < 200; step++)
            log.Add(Point(step));
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Any_file_can_be_read()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Log)!);
        File.WriteAllBytes(Log, [.. "5\n[]\n{\"step\":\"x\"}\n\n{\"step\":3}\n{\"step\":4,\"loss\":1e400}\n"u8, 0xFF, 10]);
        MetricsLog.Read(Log).Steps.Select(point => point.Step).ShouldBe([3, 4]);
    }

    private static StepReport Point(int step) => new(step, 200, step / 100.0, step / 10.0, 1.25, 5e-4, 100, 50, 0.5);
}
