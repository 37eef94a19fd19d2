using System.Buffers;
using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// The figures of a run as JSON lines, one for each step and each evaluation. A line is written whole and handed to the system at once, so a killed run
/// loses nothing but perhaps the end of its last line. Writing allocates nothing.
/// </summary>
public sealed class MetricsLog : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _line = new(512);
    private readonly Utf8JsonWriter _json;

    private MetricsLog(string path, FileMode mode)
    {
        _path = path;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            _file = new FileStream(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception failure) when (WriteFailure.Is(failure))
        {
            throw WriteFailure.Of(path, path, failure);
        }
        _json = new Utf8JsonWriter(_line);
    }

    /// <summary>A log of a new run; an older one of the same name is replaced.</summary>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public static MetricsLog Create(string path) => new(path, FileMode.Create);

    /// <summary>Goes on with the log of a run from a checkpoint: what was written after it is removed, as those steps are made again.</summary>
    /// <param name="path">The file; it may be missing.</param>
    /// <param name="step">Optimiser steps of the checkpoint.</param>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public static MetricsLog Resume(string path, int step)
    {
        if (File.Exists(path))
        {
            AtomicFile.Write(path, stream =>
            {
                foreach ((int at, string line) in Lines(path))
                {
                    if (at > step)
                        continue;
                    stream.Write(Utf8Text.Strict.GetBytes(line));
                    stream.WriteByte((byte)'\n');
                }
            });
        }
        return new MetricsLog(path, FileMode.Append);
    }

    /// <summary>Everything that a log holds. Lines that are not whole are passed over.</summary>
    public static (IReadOnlyList<StepReport> Steps, IReadOnlyList<EvaluationReport> Evaluations) Read(string path)
    {
        List<StepReport> steps = [];
        List<EvaluationReport> evaluations = [];
        foreach ((int step, string line) in Lines(path))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            double Number(string name) => root.TryGetProperty(name, out JsonElement value)
                ? value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.TryParse(value.GetString(), Invariant, out double odd) ? odd : double.NaN
                : double.NaN;
            if (root.TryGetProperty("eval_loss", out _))
                evaluations.Add(new EvaluationReport(step, Number("eval_loss"), (long)Number("target_tokens"), root.TryGetProperty("best", out JsonElement best) && best.ValueKind == JsonValueKind.True, Number("seconds")));
            else
            {
                steps.Add(new StepReport(
                    step, (int)Number("total_steps"), Number("epoch"), Number("loss"), Number("grad_norm"), Number("learning_rate"),
                    (int)Number("tokens"), (int)Number("target_tokens"), Number("seconds")));
            }
        }
        return (steps, evaluations);
    }

    /// <summary>Writes what a step did.</summary>
    public void Add(in StepReport report)
    {
        Begin(report.Step);
        _json.WriteNumber("total_steps"u8, report.TotalSteps);
        Number("epoch"u8, report.Epoch);
        Number("loss"u8, report.Loss);
        Number("grad_norm"u8, report.GradNorm);
        Number("learning_rate"u8, report.LearningRate);
        _json.WriteNumber("tokens"u8, report.Tokens);
        _json.WriteNumber("target_tokens"u8, report.TargetTokens);
        Number("seconds"u8, report.Seconds);
        End();
    }

    /// <summary>Writes what an evaluation found.</summary>
    public void Add(in EvaluationReport report)
    {
        Begin(report.Step);
        Number("eval_loss"u8, report.Loss);
        _json.WriteNumber("target_tokens"u8, report.TargetTokens);
        _json.WriteBoolean("best"u8, report.Best);
        Number("seconds"u8, report.Seconds);
        End();
    }

    /// <summary>Waits until everything is on the disk, as before a checkpoint that counts on it.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }

    private void Begin(int step)
    {
        _line.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteNumber("step"u8, step);
    }

    private void End()
    {
        _json.WriteEndObject();
        _json.Flush();
        _line.Write("\n"u8);
        try
        {
            _file.Write(_line.WrittenSpan);
        }
        catch (Exception failure) when (WriteFailure.Is(failure))
        {
            throw WriteFailure.OfAddition(_path, failure);
        }
    }

    // JSON has no numbers for what a broken run gives
    private void Number(ReadOnlySpan<byte> name, double value)
    {
        if (double.IsFinite(value))
            _json.WriteNumber(name, value);
        else
            _json.WriteString(name, double.IsNaN(value) ? "NaN"u8 : value > 0 ? "Infinity"u8 : "-Infinity"u8);
    }

    private static IEnumerable<(int Step, string Line)> Lines(string path)
    {
        foreach ((_, string line) in Utf8Lines.Read(path, new ProblemList()))
        {
            if (StepOf(line) is { } step)
                yield return (step, line);
        }
    }

    private static int? StepOf(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("step", out JsonElement step)
                && step.ValueKind == JsonValueKind.Number && step.TryGetInt32(out int number) ? number : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
