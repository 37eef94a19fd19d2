using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>Prefix tuning (Li and Liang 2021, arXiv:2101.00190): learned keys and values before those of the text, in every layer.</summary>
public sealed class PrefixTuningMethod : PeftMethod
{
    /// <inheritdoc/>
    public override string Type => "PREFIX_TUNING";

    /// <inheritdoc/>
    public override string RecipeName => "prefix";

    /// <inheritdoc/>
    public override bool IsPromptLearning => true;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string>
    {
        ["tokens"] = "num_virtual_tokens", ["length"] = "num_virtual_tokens", ["prefix_length"] = "num_virtual_tokens", ["virtual_tokens"] = "num_virtual_tokens",
        ["num_tokens"] = "num_virtual_tokens", ["prefix_tokens"] = "num_virtual_tokens",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Options { get; } = ["num_virtual_tokens", "init_weights"];

    /// <inheritdoc/>
    public override JsonObject Defaults => new()
    {
        ["auto_mapping"] = null,
        ["base_model_name_or_path"] = null,
        ["encoder_hidden_size"] = null,
        ["inference_mode"] = true,
        ["init_weights"] = null,
        ["modules_to_save"] = null,
        ["num_attention_heads"] = null,
        ["num_layers"] = null,
        ["num_transformer_submodules"] = null,
        ["num_virtual_tokens"] = null,
        ["peft_type"] = "PREFIX_TUNING",
        ["peft_version"] = AdapterFile.PeftVersion,
        ["prefix_projection"] = false,
        ["revision"] = null,
        ["task_type"] = null,
        ["token_dim"] = null,
    };

    /// <inheritdoc/>
    public override void Build(AdapterBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        JsonConfig config = builder.Config;
        ModelFacts facts = builder.Model.Facts;
        CheckOptions(config, builder.Loading);
        // the text needs room behind it
        int rows = builder.Refused ? 1 : config.Size("num_virtual_tokens", 1, maximum: builder.Loading ? 1 << 24 : Math.Max(1, facts.ContextLength - 1));
        if (config.Has("modules_to_save") && !SavedModules.TrainsHead(config))
            config.Report("modules_to_save", "goes together with prefix tuning only for classifiers (task_type SEQ_CLS or TOKEN_CLS), whose head it trains");
        int dim = facts.KvHeads * facts.HeadDim;
        Expect(config, "token_dim", dim);
        Expect(config, "num_layers", facts.Layers);
        Expect(config, "num_attention_heads", facts.KvHeads);
        Expect(config, "num_transformer_submodules", 1);
        config.Root["encoder_hidden_size"] ??= dim;
        if (builder.Broken)
            return;
        bool zero = config.Text("init_weights", "") == "zero";
        Parameter table = builder.Parameter("prompt_embeddings", new Shape(rows, facts.Layers * 2 * dim), (values, random) =>
        {
            if (!zero)
                random.FillNormal(values, 0, 1);
        });
        builder.Parts.Add(new Prefix(builder.Model, table, dim));
        SavedModules.Add(builder, (config.TextsOrNull("modules_to_save") ?? []).Distinct(), "base_model.");
    }

    internal override void CheckOptions(JsonConfig config, bool loading)
    {
        if (!config.Has("num_virtual_tokens"))
            config.Report("num_virtual_tokens", "is missing: the number of learned positions before the text, 20 for example");
        else if (config.Int32OrNull("num_virtual_tokens") is < 1 and int found)
            config.Report("num_virtual_tokens", $"found {found}, expected at least 1");
        if (config.Flag("prefix_projection", false) && !loading)
            config.Report("prefix_projection", "training the projection is not implemented; without it the prefix itself is trained");
        config.TextOrNull("init_weights");
    }

    // the reference fills these from the base model; a file that says otherwise was made for another one
    private static void Expect(JsonConfig config, string field, int value)
    {
        if (config.Int32OrNull(field) is { } found && found != value)
            config.Report(field, $"{value} is what this model has, found {found}: the adapter was made for another model");
        config.Root[field] = value;
    }
}
