using System.Text.Json.Nodes;

namespace Lorikeet.Peft;

/// <summary>The options of LoRA (and DoRA) as typed fields; each says what it is called in <c>adapter_config.json</c>. What is not set takes PEFT's default.</summary>
public sealed record LoraOptions
{
    /// <summary><c>r</c>: rows of A and columns of B.</summary>
    public int Rank { get; init; } = 8;

    /// <summary><c>lora_alpha</c>: the update is scaled by alpha / rank.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary><c>lora_dropout</c>: the share of the adapter's inputs that training leaves out.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// <c>target_modules</c>: the ends of the names of the layers to act on. Empty: those that are usual for the architecture. A single
    /// <see cref="AllLinear"/>: every linear layer but the head.
    /// </summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary><c>exclude_modules</c>: layers to leave alone though they match.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary><c>modules_to_save</c>: modules that are trained whole and stored with the adapter.</summary>
    public IReadOnlyList<string> TrainWhole { get; init; } = [];

    /// <summary><c>use_rslora</c>: scale by alpha / √rank (arXiv:2312.03732).</summary>
    public bool RankStabilized { get; init; }

    /// <summary><c>use_dora</c>: train size and direction of each weight's columns apart (arXiv:2402.09353).</summary>
    public bool Dora { get; init; }

    /// <summary>The word for every linear layer but the head.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>The same as fields of <c>adapter_config.json</c>.</summary>
    public JsonObject ToJson()
    {
        JsonObject json = new()
        {
            ["r"] = Rank,
            ["lora_alpha"] = Alpha == Math.Floor(Alpha) ? JsonValue.Create((long)Alpha) : JsonValue.Create(Alpha),
            ["lora_dropout"] = Dropout,
            ["use_rslora"] = RankStabilized,
            ["use_dora"] = Dora,
        };
        if (Targets is [AllLinear])
            json["target_modules"] = AllLinear;
        else
            Add("target_modules", Targets);
        Add("exclude_modules", Exclude);
        Add("modules_to_save", TrainWhole);
        return json;

        void Add(string key, IReadOnlyList<string> names)
        {
            if (names.Count > 0)
                json[key] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
        }
    }
}
