using Lorikeet.Formats;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Lorikeet.Models;

/// <summary>What config.json says of a classifier's head.</summary>
public sealed record ClassifierConfig
{
    private const string Texts = "ForSequenceClassification", Tokens = "ForTokenClassification";

    /// <summary>The labels' names in the order of the head's outputs; a regression has one for each number.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>What the numbers mean; null where the labels of a batch decide (see <see cref="SequenceClassifier.ProblemOf"/>).</summary>
    public ProblemType? Problem { get; init; }

    /// <summary>The id that fills up short texts; null where there is none.</summary>
    public int? PadToken { get; init; }

    /// <summary>The architecture that the configuration names if that is a classifier, or null.</summary>
    internal static string? ArchitectureOf(JsonConfig config) =>
        (config.TextsOrNull("architectures") ?? []).FirstOrDefault(name => name.EndsWith(Texts, StringComparison.Ordinal) || name.EndsWith(Tokens, StringComparison.Ordinal));

    /// <summary>True where an architecture labels each token, false where it labels whole texts.</summary>
    internal static bool LabelsTokens(string architecture) => architecture.EndsWith(Tokens, StringComparison.Ordinal);

    /// <summary>Reads a configuration; problems are left with the reader.</summary>
    public static ClassifierConfig Read(JsonConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        string problem = config.Text("problem_type", "");
        if (problem is not ("" or "regression" or "single_label_classification" or "multi_label_classification"))
            config.Report("problem_type", $"regression, single_label_classification or multi_label_classification was expected, found \"{problem}\"");
        return new ClassifierConfig
        {
            Labels = ReadLabels(config),
            Problem = problem switch
            {
                "regression" => ProblemType.Regression,
                "single_label_classification" => ProblemType.SingleLabel,
                "multi_label_classification" => ProblemType.MultiLabel,
                _ => null,
            },
            PadToken = ReadPadToken(config),
        };
    }

    // id2label counts where it is there, as in transformers, whatever num_labels says
    private static string[] ReadLabels(JsonConfig config)
    {
        JsonConfig? names = config.Section("id2label");
        if (names is null)
            return Named(config.Size("num_labels", 2, 1, 1 << 24));
        List<KeyValuePair<string, JsonNode?>> entries = [.. names.Root];
        if (entries.Count == 0)
            config.Report("id2label", "is empty; a classifier has at least one label");
        string[] labels = Named(Math.Max(1, entries.Count));
        foreach ((string name, JsonNode? label) in entries)
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id >= labels.Length)
                config.Report("id2label", $"{entries.Count} labels are numbered from 0 to {entries.Count - 1}, found \"{name}\"");
            else
                labels[id] = label?.ToString() ?? "";
        }
        return labels;
    }

    private static string[] Named(int count) => [.. Enumerable.Range(0, count).Select(id => string.Create(CultureInfo.InvariantCulture, $"LABEL_{id}"))];

    // two families have an id of their own where the file says nothing at all
    private static int? ReadPadToken(JsonConfig config)
    {
        if (config.Has("pad_token_id"))
            return config.Size("pad_token_id", 0, int.MinValue, int.MaxValue);
        if (config.Root.ContainsKey("pad_token_id"))
            return null;
        return config.Text("model_type", "") switch
        {
            "phi3" => 32000,
            "smollm3" => 128004,
            _ => null,
        };
    }
}
