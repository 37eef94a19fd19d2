using System.Globalization;
using System.Text.Json;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>Results of <c>lorikeet bench --json</c> in a file, to hold new ones against.</summary>
internal sealed class EarlierFigures
{
    private readonly List<JsonElement> _results = [];

    /// <summary>Where they were read.</summary>
    public required string Path { get; init; }

    /// <summary>Reads a file of JSON lines.</summary>
    /// <exception cref="InputException">There is no such file, or a line of it is no result.</exception>
    public static EarlierFigures Read(string path)
    {
        EarlierFigures earlier = new() { Path = path };
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(Directory.Exists(path) ? $"--against {path}: is a folder; a file was expected"
                : File.Exists(path) ? $"--against {path}: cannot be read ({e.Message})" : $"--against {path}: there is no such file", e);
        }
        for (int i = 0; i < lines.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i]))
                continue;
            JsonElement result;
            try
            {
                result = JsonElement.Parse(lines[i]);
            }
            catch (JsonException)
            {
                throw Wrong(path, i, "this is not JSON");
            }
            if (result.ValueKind != JsonValueKind.Object || !result.TryGetProperty(BenchReport.Kind, out _))
                throw Wrong(path, i, $"no result of lorikeet bench: an object with \"{BenchReport.Kind}\" was expected");
            earlier._results.Add(result);
        }
        return earlier._results.Count > 0 ? earlier : throw new InputException($"--against {path}: holds no results; write them there with lorikeet bench … --json");
    }

    /// <summary>
    /// An earlier figure of the same configuration, the median where there are several; null where there is none. A setting that the earlier program did
    /// not have yet does not tell results apart.
    /// </summary>
    /// <param name="configuration">What was measured: every name and value.</param>
    /// <param name="figure">The name of what came out.</param>
    public double? Find(IReadOnlyList<(string Name, object Value)> configuration, string figure)
    {
        double[] found = [.. _results.Where(result => configuration.All(field => Same(result, field.Name, field.Value)))
            .Where(result => result.TryGetProperty(figure, out JsonElement value) && value.ValueKind == JsonValueKind.Number)
            .Select(result => result.GetProperty(figure).GetDouble()).Order()];
        return found.Length == 0 ? null : found[found.Length / 2];
    }

    private static bool Same(JsonElement result, string name, object value) =>
        !result.TryGetProperty(name, out JsonElement earlier) || earlier.ToString() == Convert.ToString(value, CultureInfo.InvariantCulture);

    private static InputException Wrong(string path, int index, string problem) => new(string.Create(CultureInfo.InvariantCulture, $"--against {path}, line {index + 1}: {problem}"));
}
