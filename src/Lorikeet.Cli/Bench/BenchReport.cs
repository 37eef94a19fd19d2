using System.Globalization;
using System.Text.Json;
using Lorikeet.Kernels;

namespace Lorikeet.Cli;

/// <summary>Figures of measurements: one JSON object a line, or a table for people.</summary>
internal sealed class BenchReport(Terminal terminal, bool json)
{
    /// <summary>How long a peak is measured beside a measurement, in seconds.</summary>
    public const double AgainSeconds = 0.1;

    private readonly List<(string Name, string Text)[]> _rows = [];
    private readonly JsonLineWriter _lines = new(terminal.Out);

    /// <summary>Measures the machine, which every figure is held against.</summary>
    public MachineSpeed MeasureMachine()
    {
        MachineSpeed machine = MachinePeak.Measure(quick: false);
        if (!json)
        {
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"machine: {machine.Threads} threads; f32 multiply-adds {machine.FmaOneCore:0} GFLOP/s on one, {machine.FmaAllCores:0} on all; memory reads {machine.ReadOneCore:0.0} GB/s by one, {machine.ReadAllCores:0.0} by all"));
            terminal.Out.Flush();
        }
        return machine;
    }

    /// <summary>Measures multiply-adds once more: right before and after a measurement, so that the peak is none of a moment when others used the machine.</summary>
    /// <returns>The machine, with the greater figure.</returns>
    public static MachineSpeed MeasureAgain(MachineSpeed machine) =>
        machine with { FmaAllCores = Math.Max(machine.FmaAllCores, MachinePeak.FmaPeak(machine.Threads, AgainSeconds)) };

    /// <summary>Takes one result: names in the order of their columns, and texts, whole numbers or doubles.</summary>
    public void Add(params (string Name, object Value)[] fields)
    {
        terminal.Interrupted.ThrowIfCancellationRequested();
        if (json)
        {
            _lines.Write(writer =>
            {
                foreach ((string name, object value) in fields)
                    WriteField(writer, name, value);
            });
            terminal.Out.Flush();
            return;
        }
        _rows.Add([.. fields.Select(field => (field.Name, Text(field.Value)))]);
    }

    /// <summary>Writes the table, where one was asked for.</summary>
    public void Finish()
    {
        if (_rows.Count == 1)
        {
            int width = _rows[0].Max(field => field.Name.Length);
            foreach ((string name, string text) in _rows[0])
                terminal.Out.WriteLine($"{name.PadRight(width)}  {text}");
        }
        else if (_rows.Count > 1)
        {
            int[] widths = [.. _rows[0].Select((field, i) => _rows.Max(row => Math.Max(row[i].Text.Length, row[i].Name.Length)))];
            terminal.Out.WriteLine(string.Join("  ", _rows[0].Select((field, i) => field.Name.PadLeft(widths[i]))));
            foreach ((string Name, string Text)[] row in _rows)
                terminal.Out.WriteLine(string.Join("  ", row.Select((field, i) => field.Text.PadLeft(widths[i]))));
        }
    }

    /// <summary>A number to four digits: more would pretend to be exact.</summary>
    public static double Digits(double value) =>
        double.IsFinite(value) ? double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : 0;

    private static void WriteField(Utf8JsonWriter writer, string name, object value)
    {
        switch (value)
        {
            case string text:
                writer.WriteString(name, text);
                break;
            case bool flag:
                writer.WriteBoolean(name, flag);
                break;
            case double number:
                writer.WriteNumber(name, Digits(number));
                break;
            default:
                writer.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static string Text(object value) => value switch
    {
        double number => Digits(number).ToString(CultureInfo.InvariantCulture),
        bool flag => flag ? "yes" : "no",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
