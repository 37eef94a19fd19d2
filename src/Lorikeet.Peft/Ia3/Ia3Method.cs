using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Nn;

namespace Lorikeet.Peft;

/// <summary>IA³ (Liu et al. 2022, arXiv:2205.05638): a learned factor for each output, or for each input of feed-forward layers.</summary>
public sealed class Ia3Method : PeftMethod
{
    /// <inheritdoc/>
    public override string Type => "IA3";

    /// <inheritdoc/>
    public override string RecipeName => "ia3";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string> { ["targets"] = "target_modules" };

    /// <inheritdoc/>
    public override JsonObject Defaults => new()
    {
        ["auto_mapping"] = null,
        ["base_model_name_or_path"] = null,
        ["exclude_modules"] = null,
        ["fan_in_fan_out"] = false,
        ["feedforward_modules"] = null,
        ["inference_mode"] = true,
        ["init_ia3_weights"] = true,
        ["modules_to_save"] = null,
        ["peft_type"] = "IA3",
        ["peft_version"] = AdapterFile.PeftVersion,
        ["revision"] = null,
        ["target_modules"] = null,
        ["task_type"] = null,
    };

    /// <inheritdoc/>
    public override void Build(AdapterBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        JsonConfig config = builder.Config;
        (IReadOnlyList<string> Targets, IReadOnlyList<string> FeedForward)? defaults = Ia3Targets.Of(builder.Model.Facts.ModelType);
        if (!config.Has("target_modules") && !config.Has("feedforward_modules") && defaults is not null)
            config.Root["feedforward_modules"] = new JsonArray([.. defaults.Value.FeedForward.Select(name => (JsonNode)name)]);
        CheckOptions(config, builder.Loading);
        TargetMatcher matcher = new(builder, defaults?.Targets);
        Func<string, bool> feedForward = matcher.Reader("feedforward_modules");
        List<Module> targets = matcher.Targets(builder.Model.Modules.OfType<Linear>());
        if (builder.Broken)
            return;
        foreach (Linear layer in targets.Cast<Linear>())
            builder.Parts.Add(new Ia3Linear(builder, layer, feedForward(layer.Path)));
        matcher.WriteBack();
        if (targets.Any(module => module is Linear { Transposed: true }))
            config.Root["fan_in_fan_out"] = true;
        SavedModules.Add(builder, matcher.Saved);
    }

    internal override void CheckOptions(JsonConfig config, bool loading)
    {
        if (!config.Flag("init_ia3_weights", true) && !loading)
            config.Report("init_ia3_weights", "true was expected: IA³ starts at factors of one");
        TargetMatcher.Check(config);
        config.TextsOrNull("feedforward_modules");
    }
}
