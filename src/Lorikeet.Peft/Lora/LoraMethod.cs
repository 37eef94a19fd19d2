using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>LoRA (Hu et al. 2021, arXiv:2106.09685), in PEFT's format, with its variants rank-stabilised (arXiv:2312.03732) and DoRA.</summary>
public sealed class LoraMethod : PeftMethod
{
    /// <inheritdoc/>
    public override string Type => "LORA";

    /// <inheritdoc/>
    public override string RecipeName => "lora";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, JsonObject> Presets => new Dictionary<string, JsonObject> { ["lora"] = [], ["dora"] = new() { ["use_dora"] = true } };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string>
    {
        ["rank"] = "r", ["lora_r"] = "r", ["lora_rank"] = "r", ["alpha"] = "lora_alpha", ["dropout"] = "lora_dropout", ["rslora"] = "use_rslora",
        ["dora"] = "use_dora", ["targets"] = "target_modules", ["lora_target"] = "target_modules", ["lora_target_modules"] = "target_modules",
        ["lora_modules_to_save"] = "modules_to_save", ["additional_target"] = "modules_to_save", ["init_weights"] = "init_lora_weights",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Options { get; } =
    [
        "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules", "modules_to_save", "layers_to_transform", "layers_pattern", "rank_pattern",
        "alpha_pattern", "use_rslora", "use_dora", "bias", "lora_bias", "init_lora_weights",
    ];

    /// <inheritdoc/>
    public override JsonObject Defaults => new()
    {
        ["alora_invocation_tokens"] = null,
        ["alpha_pattern"] = new JsonObject(),
        ["arrow_config"] = null,
        ["auto_mapping"] = null,
        ["base_model_name_or_path"] = null,
        ["bias"] = "none",
        ["corda_config"] = null,
        ["ensure_weight_tying"] = false,
        ["eva_config"] = null,
        ["exclude_modules"] = null,
        ["fan_in_fan_out"] = false,
        ["inference_mode"] = true,
        ["init_lora_weights"] = true,
        ["kasa_config"] = null,
        ["layer_replication"] = null,
        ["layers_pattern"] = null,
        ["layers_to_transform"] = null,
        ["loftq_config"] = new JsonObject(),
        ["lora_alpha"] = 8,
        ["lora_bias"] = false,
        ["lora_dropout"] = 0.0,
        ["lora_ga_config"] = null,
        ["megatron_config"] = null,
        ["megatron_core"] = "megatron.core",
        ["modules_to_save"] = null,
        ["monteclora_config"] = null,
        ["peft_type"] = "LORA",
        ["peft_version"] = AdapterFile.PeftVersion,
        ["qalora_group_size"] = 16,
        ["r"] = 8,
        ["rank_pattern"] = new JsonObject(),
        ["revision"] = null,
        ["target_modules"] = null,
        ["target_parameters"] = null,
        ["task_type"] = null,
        ["trainable_token_indices"] = null,
        ["use_bdlora"] = null,
        ["use_dora"] = false,
        ["use_qalora"] = false,
        ["use_rslora"] = false,
        ["velora_config"] = null,
    };

    /// <inheritdoc/>
    public override void Build(AdapterBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        JsonConfig config = builder.Config;
        CheckOptions(config, builder.Loading);
        int rank = config.Int32("r", 8);
        double alpha = config.Number("lora_alpha", 8), dropout = config.Number("lora_dropout", 0);
        bool dora = config.Flag("use_dora", false), stabilised = config.Flag("use_rslora", false), loraBias = config.Flag("lora_bias", false);
        LoraInit init = ReadInit(config, builder.Loading);
        TargetMatcher matcher = new(builder, LoraTargets.Of(builder.Model.Facts.ModelType));
        List<Module> targets = matcher.Targets(builder.Model.Modules.Where(module => module is Linear or Embedding));
        if (config.Flag("ensure_weight_tying", false) && !TiesOnlySaved(builder, targets, matcher))
            config.Report("ensure_weight_tying", "is not implemented: this model's head reads the table of embeddings, and an adapter acts on one of the two alone. Leave it false, or choose other modules");
        PatternTable ranks = new(config, "rank_pattern"), alphas = new(config, "alpha_pattern");
        if (builder.Broken)
            return;
        foreach (Module module in targets)
        {
            double chosen = ranks.Of(module.Path) ?? rank, a = alphas.Of(module.Path) ?? alpha;
            if (builder.Refused)
                return;
            if (chosen is not (>= 1 and <= int.MaxValue) || chosen != Math.Floor(chosen))
            {
                config.Report("rank_pattern", $"a whole number of at least 1 was expected for {module.Path}, found {chosen}");
                return;
            }
            int r = (int)chosen, most = SensibleRank(module);
            if (!builder.Loading && r > most)
            {
                config.Report(ranks.Of(module.Path) is null ? "r" : "rank_pattern", $"found a rank of {r} for {module.Path}, expected at most {most}: a change of this layer has no higher rank");
                return;
            }
            LoraSettings settings = new(r, (float)(stabilised ? a / Math.Sqrt(r) : a / r), (float)dropout, init, loraBias);
            builder.Parts.Add(module switch
            {
                Linear linear when dora => new DoraLinear(builder, linear, settings),
                Linear linear => new LoraLinear(builder, linear, settings),
                Embedding embedding when dora => new DoraEmbedding(builder, embedding, settings),
                _ => new LoraEmbedding(builder, (Embedding)module, settings),
            });
        }
        matcher.WriteBack();
        if (targets.Any(module => module is Linear { Transposed: true }))
            config.Root["fan_in_fan_out"] = true;
        TrainedBiases.Add(builder, config.Text("bias", "none"), "lora_only", targets, matcher);
        SavedModules.Add(builder, matcher.Saved);
        SavedEmbeddings.Add(builder, targets);
    }

    internal override void CheckOptions(JsonConfig config, bool loading)
    {
        RefuseOthers(config, loading);
        int rank = config.Int32("r", 8);
        if (rank < 1)
            config.Report("r", $"a rank of at least 1 was expected, found {rank}");
        config.Number("lora_alpha", 8);
        double dropout = config.Number("lora_dropout", 0);
        if (dropout is < 0 or >= 1)
            config.Report("lora_dropout", $"a probability below 1 was expected, found {dropout}");
        if (config.Flag("use_dora", false) & config.Flag("lora_bias", false))
            config.Report("lora_bias", "does not go together with use_dora");
        config.Flag("use_rslora", false);
        config.Flag("ensure_weight_tying", false);
        ReadInit(config, loading);
        TargetMatcher.Check(config);
        _ = new PatternTable(config, "rank_pattern");
        _ = new PatternTable(config, "alpha_pattern");
        config.Text("bias", "none");
    }

    // the table trained whole takes the head along; an adapter on either end would need a twin on the other
    private static bool TiesOnlySaved(AdapterBuilder builder, List<Module> targets, TargetMatcher matcher) =>
        !targets.Any(builder.IsTied) && (matcher.IsSaved(builder.Model.InputEmbedding) || !builder.Model.Modules.Any(module => builder.IsTied(module) && matcher.IsSaved(module)));

    // more than the smaller side of a layer adds nothing; small layers are given what does no harm
    private static int SensibleRank(Module module)
    {
        Tensor weight = module is Linear linear ? linear.Weight.Value : ((Embedding)module).Weight.Value;
        return Math.Max(1024, Math.Min(weight.Rows, weight.Columns));
    }

    private static LoraInit ReadInit(JsonConfig config, bool loading)
    {
        switch (config.Root["init_lora_weights"])
        {
            case null:
                return LoraInit.Kaiming;
            case JsonValue flag when flag.GetValueKind() is JsonValueKind.True or JsonValueKind.False:
                return flag.GetValueKind() == JsonValueKind.True ? LoraInit.Kaiming : LoraInit.Random;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                string name = text.GetValue<string>();
                if (string.Equals(name, "gaussian", StringComparison.OrdinalIgnoreCase))
                    return LoraInit.Gaussian;
                // these leave the base weights alone, so a trained adapter reads like any other
                if (loading && name is "eva" or "orthogonal" or "mica")
                    return LoraInit.Kaiming;
                config.Report("init_lora_weights", $"true, false or \"gaussian\" was expected, found \"{name}\""
                    + (loading ? ": this initialisation also changes the base weights; convert the adapter to plain LoRA when saving it" : ""));
                return LoraInit.Kaiming;
            default:
                config.Report("init_lora_weights", "true, false or \"gaussian\" was expected");
                return LoraInit.Kaiming;
        }
    }

    private static void RefuseOthers(JsonConfig config, bool loading)
    {
        foreach (string field in (string[])["alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "megatron_config", "target_parameters", "trainable_token_indices", "use_bdlora"])
        {
            if (config.Has(field))
                config.Report(field, "is not implemented, and leaving it out would change the result");
        }
        if (config.Flag("use_qalora", false))
            config.Report("use_qalora", "is not implemented");
        // these act while training only: a trained adapter is plain LoRA
        foreach (string field in (string[])["velora_config", "monteclora_config", "lora_ga_config", "eva_config", "corda_config"])
        {
            if (config.Has(field) && !loading)
                config.Report(field, "is not implemented");
        }
    }
}
