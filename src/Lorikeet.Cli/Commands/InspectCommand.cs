using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet inspect</c>: what a file or folder holds.</summary>
internal static class InspectCommand
{
    private const string TensorList = "tensor_list";

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> path = new("PATH") { Description = "A model folder, a GGUF file, an adapter folder, a checkpoint, a tokenizer, or a file of tensors" };
        Option<bool> tensors = new("--tensors") { Description = "List every tensor: type, shape, bytes" };
        Option<bool> json = CommonOptions.Json("Print one JSON object");
        ExampleCommand command = new("inspect", "Tell what a model, an adapter, a checkpoint, a tokenizer or a file of tensors holds.",
            "lorikeet inspect models/smollm2\nlorikeet inspect out/adapter --tensors")
        {
            path, tensors, json,
        };
        command.SetAction(parse =>
        {
            JsonObject found = Inspection.Of(parse.GetRequiredValue(path), parse.GetValue(tensors));
            if (parse.GetValue(json))
                terminal.Out.WriteLine(found.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JsonLineWriter.Compact.Encoder }));
            else
                Print(found, "", terminal.Out);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Print(JsonObject found, string indent, TextWriter output)
    {
        (string Key, JsonNode? Value)[] lines = [.. found.Where(pair => pair.Key is not (TensorList or "config")).Select(pair => (pair.Key, pair.Value))];
        int width = lines.Max(line => line.Key.Length);
        foreach ((string key, JsonNode? value) in lines)
        {
            if (value is JsonObject inner && (inner.Any(pair => pair.Value is JsonObject) || inner.Count > 6))
            {
                output.WriteLine($"{indent}{key}");
                Print(inner, indent + "  ", output);
            }
            else
            {
                output.WriteLine($"{indent}{key.PadRight(width)}  {Text(key, value)}");
            }
        }
        if (found[TensorList] is not JsonArray tensors)
            return;
        output.WriteLine();
        foreach (JsonNode? tensor in tensors)
            output.WriteLine($"{indent}{(string)tensor!["type"]!,-6} {Text("shape", tensor["shape"]),-20} {Text("bytes", tensor["bytes"]),12}  {Terminal.Printable((string)tensor["name"]!)}");
    }

    private static string Text(string key, JsonNode? value) => value switch
    {
        null => "none",
        JsonObject inner => string.Join(", ", inner.Select(pair => $"{pair.Key} {Text(pair.Key, pair.Value)}")),
        JsonArray { Count: 0 } when key != "shape" => "none",
        JsonArray items when key != "shape" => string.Join(", ", items.Select(item => Text("", item))),
        JsonArray sizes => $"[{string.Join(", ", sizes.Select(size => size!.ToString()))}]",
        _ when key == "bytes" => Bytes((long)value),
        _ when key == "parameters" => ((long)value).ToString("N0", CultureInfo.InvariantCulture),
        _ when value.GetValueKind() is JsonValueKind.True => "yes",
        _ when value.GetValueKind() is JsonValueKind.False => "no",
        _ => Terminal.Printable(value.ToString()),
    };

    private static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 10_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
    };
}
