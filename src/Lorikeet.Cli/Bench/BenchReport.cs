using System.Globalization;
using System.Text.Json;
using Lorikeet.Cli.Training;
using Lorikeet.Kernels;
using Lorikeet.Models;

namespace Lorikeet.Cli;

/// <summary>
/// Figures of measurements: one JSON object a line, or a table for people. Texts, flags and whole numbers say what was measured (and are what
/// repetitions and earlier results are matched by), doubles and longs what came out; the first double is the figure that is compared.
/// </summary>
/// <param name="terminal">Where to.</param>
/// <param name="json">Whether programs read it.</param>
/// <param name="repeat">How often each configuration is measured.</param>
/// <param name="earlier">Results to compare with, or null.</param>
internal sealed class BenchReport(Terminal terminal, bool json, int repeat, EarlierFigures? earlier)
{
    /// <summary>The field that says what kind of measurement it was.</summary>
    public const string Kind = "bench";

    /// <summary>How long a peak is measured beside a measurement, in seconds.</summary>
    public const double AgainSeconds = 0.1;

    private readonly List<(string Name, string Text)[]> _rows = [];
    private readonly JsonLineWriter _lines = new(terminal.Out);
    private readonly List<(string Name, object Value)[]> _repetitions = [];

    /// <summary>How often each configuration is to be measured and added, one repetition after the other.</summary>
    public int Repeat => repeat;

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

    /// <summary>Measures the machine beside a model that is loaded; what that takes of memory is none of the model's.</summary>
    /// <returns>The machine, and the peak of the process's memory before.</returns>
    public (MachineSpeed Machine, long Peak) MeasureMachineBeside()
    {
        long before = ProcessMemory.PeakBytes();
        MachineSpeed machine = MeasureMachine();
        ProcessMemory.ForgetPeak();
        return (machine, before);
    }

    /// <summary>Measures multiply-adds once more: right before and after a measurement, so that the peak is none of a moment when others used the machine.</summary>
    /// <returns>The machine, with the greater figure.</returns>
    public static MachineSpeed MeasureAgain(MachineSpeed machine) =>
        machine with { FmaAllCores = Math.Max(machine.FmaAllCores, MachinePeak.FmaPeak(machine.Threads, AgainSeconds)) };

    /// <summary>Tells what somebody should know of the model that is measured.</summary>
    public void Tell(CausalLm model)
    {
        foreach (string remark in model.Remarks)
            terminal.Error.WriteLine($"note: {remark}");
    }

    /// <summary>Takes one result: names in the order of their columns, and values. The last repetition of a configuration writes it.</summary>
    public void Add(params (string Name, object Value)[] fields)
    {
        terminal.Interrupted.ThrowIfCancellationRequested();
        _repetitions.Add(fields);
        if (_repetitions.Count < repeat)
            return;
        (string Name, object Value)[] result = [.. fields.Select((field, i) => (field.Name, Middle([.. _repetitions.Select(repetition => repetition[i].Value)])))];
        string figure = fields.First(field => field.Value is double).Name;
        double value = (double)result.First(field => field.Name == figure).Value;
        double? before = earlier?.Find([.. result.Where(field => IsConfiguration(field.Value))], figure);
        if (earlier is not null && before is null)
            terminal.Error.WriteLine($"{earlier.Path} has nothing of {string.Join(", ", result.Where(field => IsConfiguration(field.Value)).Select(field => $"{field.Name} {Text(field.Value)}"))}");
        if (json)
            WriteLine(result, figure, value, before);
        else
            _rows.Add([.. result.Select(field => (field.Name, Text(field.Value))), .. Remarks(figure, value, before)]);
        _repetitions.Clear();
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

    private void WriteLine((string Name, object Value)[] result, string figure, double value, double? before)
    {
        _lines.Write(writer =>
        {
            foreach ((string name, object field) in result)
                WriteField(writer, name, field);
            if (repeat > 1)
            {
                writer.WriteNumber("repeat", repeat);
                WriteExtremes(writer, "min", values => values.Min());
                WriteExtremes(writer, "max", values => values.Max());
            }
            if (earlier is null)
                return;
            if (before is null)
            {
                writer.WriteNull("against");
                return;
            }
            writer.WriteStartObject("against");
            WriteField(writer, figure, before);
            if (before == 0)
                writer.WriteNull("ratio");
            else
                WriteField(writer, "ratio", value / before);
            writer.WriteEndObject();
        });
        terminal.Out.Flush();
    }

    private void WriteExtremes(Utf8JsonWriter writer, string name, Func<IEnumerable<double>, double> extreme)
    {
        writer.WriteStartObject(name);
        for (int i = 0; i < _repetitions[0].Length; i++)
        {
            if (_repetitions[0][i].Value is double)
                WriteField(writer, _repetitions[0][i].Name, extreme(_repetitions.Select(repetition => (double)repetition[i].Value)));
        }
        writer.WriteEndObject();
    }

    private IEnumerable<(string Name, string Text)> Remarks(string figure, double value, double? before)
    {
        if (repeat > 1)
        {
            double[] values = [.. _repetitions.Select(repetition => (double)repetition.First(field => field.Name == figure).Value)];
            yield return ("least", Text(values.Min()));
            yield return ("greatest", Text(values.Max()));
        }
        if (earlier is not null)
        {
            yield return ("against", before is { } known ? Text(known) : "-");
            yield return ("ratio", before is { } divisor and not 0 ? Text(value / divisor) : "-");
        }
    }

    private static bool IsConfiguration(object value) => value is not (double or long);

    // of what was measured the median, of a configuration what it is
    private static object Middle(object[] values)
    {
        if (IsConfiguration(values[0]))
            return values[0];
        object[] sorted = [.. values.Order()];
        (object low, object high) = (sorted[(values.Length - 1) / 2], sorted[values.Length / 2]);
        return low is double one && high is double other ? (one + other) / 2 : low;
    }

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
