using System.Diagnostics;
using System.Globalization;
using Lorikeet.Training;

namespace Lorikeet.Cli.Training;

/// <summary>How a run goes: one line that is written over where a person watches, a plain line now and then where not.</summary>
internal sealed class TrainProgressLine : IDisposable
{
    private readonly Terminal _terminal;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly int _first;
    private double _seconds;
    private long _tokens;
    private double _lastPlain = double.NegativeInfinity;
    private bool _open;

    public TrainProgressLine(Terminal terminal, int stepsDone)
    {
        _terminal = terminal;
        _first = stepsDone;
    }

    /// <summary>Shows a step.</summary>
    public void Show(StepReport report)
    {
        _seconds += report.Seconds;
        _tokens += report.Tokens;
        int left = report.TotalSteps - report.Step;
        double perStep = _seconds / Math.Max(1, report.Step - _first);
        double now = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        // plain output: the first and last step, and one line in five seconds
        if (!_terminal.ShowsProgress && left > 0 && now - _lastPlain < 5)
            return;
        _lastPlain = now;
        Write(string.Create(CultureInfo.InvariantCulture,
            $"step {report.Step}/{report.TotalSteps}  loss {report.Loss:0.0000}  lr {report.LearningRate:0.00e+0}  {_tokens / _seconds:N0} tokens/s  {Time(left * perStep)} left"));
    }

    /// <summary>Shows an evaluation.</summary>
    public void Show(EvaluationReport report) => Say(string.Create(CultureInfo.InvariantCulture,
        $"step {report.Step}: held-out loss {report.Loss:0.0000}{(report.Best ? " (best)" : "")}"));

    /// <summary>A line that stays.</summary>
    public void Say(string text)
    {
        Close();
        _terminal.Error.WriteLine(text);
    }

    public void Dispose() => Close();

    private void Write(string text)
    {
        if (!_terminal.ShowsProgress)
        {
            _terminal.Error.WriteLine(text);
            return;
        }
        _terminal.Error.Write("\r\x1b[K" + text);
        _open = true;
    }

    private void Close()
    {
        if (_open)
            _terminal.Error.WriteLine();
        _open = false;
    }

    private static string Time(double seconds) => seconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(seconds / 60):0} min {seconds % 60:00} s");
}
