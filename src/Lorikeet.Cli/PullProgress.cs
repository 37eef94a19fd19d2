using System.Globalization;
using Lorikeet.Formats;

namespace Lorikeet.Cli;

/// <summary>Shows how far a download is: one line that is written over where a person watches, one line a file elsewhere.</summary>
internal sealed class PullProgress(Terminal terminal) : IProgress<HubProgress>
{
    private static readonly long Interval = TimeSpan.FromMilliseconds(200).Ticks;
    private readonly Dictionary<string, HubProgress> _files = new(StringComparer.Ordinal);
    private long _last;
    private int _width;

    /// <inheritdoc/>
    public void Report(HubProgress value)
    {
        if (value.Retry is not null)
        {
            Clear();
            terminal.Error.WriteLine($"{(value.File.Length > 0 ? value.File + ": " : "")}{value.Retry}; trying again");
            return;
        }
        bool done = value.Total is { } total && value.Bytes >= total;
        bool wasDone = _files.TryGetValue(value.File, out HubProgress before) && before.Bytes >= before.Total;
        _files[value.File] = value;
        if (!terminal.ShowsProgress)
        {
            if (done && !wasDone)
                terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{value.File}: {value.Bytes} bytes"));
            return;
        }
        long now = Environment.TickCount64 * TimeSpan.TicksPerMillisecond;
        if (!done && now - _last < Interval)
            return;
        _last = now;
        long bytes = _files.Values.Sum(file => file.Bytes), all = _files.Values.Sum(file => file.Total ?? file.Bytes);
        string line = string.Create(CultureInfo.InvariantCulture, $"{_files.Values.Count(file => file.Bytes >= file.Total)} of {_files.Count} files, {bytes / 1e6:0.0} of {all / 1e6:0.0} MB  {value.File}");
        if (line.Length > 78)
            line = line[..77] + "…";
        terminal.Error.Write($"\r{line.PadRight(_width)}");
        _width = line.Length;
    }

    /// <summary>Leaves the line.</summary>
    public void End() => Clear();

    private void Clear()
    {
        if (_width > 0)
            terminal.Error.Write($"\r{new string(' ', _width)}\r");
        _width = 0;
    }
}
