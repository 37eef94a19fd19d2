using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>How a model's makers would have it write: <c>generation_config.json</c>, read as transformers reads it.</summary>
internal static class GenerationConfig
{
    // what transformers takes where a file that draws does not say
    private const int UsualTopK = 50;

    /// <summary>Reads the sampling options of a file; without <c>do_sample</c> the likeliest token is taken, whatever temperature the file has.</summary>
    /// <param name="path">The file; it may be missing.</param>
    /// <exception cref="InputException">It is broken, or its values have no meaning; all problems are listed.</exception>
    public static SamplingOptions Sampling(string path)
    {
        if (!File.Exists(path))
            return new SamplingOptions();
        JsonObject json = JsonConfig.Load(path).Root;
        List<string> problems = [];
        bool draws = Value("do_sample", JsonValueKind.True, JsonValueKind.False)?.GetValueKind() == JsonValueKind.True;
        SamplingOptions options = new() { RepetitionPenalty = Number("repetition_penalty", 1) };
        if (draws)
        {
            options = options with
            {
                Temperature = Number("temperature", 1),
                TopK = (int)Math.Clamp(Number("top_k", UsualTopK), -1, int.MaxValue),
                TopP = Number("top_p", 1),
                MinP = Number("min_p", 0),
            };
        }
        if (problems.Count == 0)
        {
            try
            {
                options.Check();
                return options;
            }
            catch (InputException e)
            {
                problems.AddRange(e.Problems);
            }
        }
        throw new InputException($"{path}: the sampling options cannot be used", problems);

        JsonNode? Value(string name, params ReadOnlySpan<JsonValueKind> kinds)
        {
            if (json[name] is not { } value)
                return null;
            if (kinds.Contains(value.GetValueKind()))
                return value;
            problems.Add($"{name}: {(kinds[0] == JsonValueKind.Number ? "a number" : "true or false")} was expected, found {value.ToJsonString()}");
            return null;
        }

        double Number(string name, double usual) => Value(name, JsonValueKind.Number) is { } value ? double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture) : usual;
    }
}
