using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;

namespace Lorikeet.Peft;

/// <summary>
/// Bottleneck adapters at the end of sub-layers — Pfeiffer (arXiv:2005.00247), Houlsby (arXiv:1902.00751), parallel (arXiv:2110.04366) — in the
/// format of AdapterHub's library.
/// </summary>
public sealed class BottleneckMethod : PeftMethod
{
    /// <inheritdoc/>
    public override string Type => "BOTTLENECK";

    /// <inheritdoc/>
    public override string RecipeName => "pfeiffer";

    // double_seq_bn and par_bn of the library
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, JsonObject> Presets => new Dictionary<string, JsonObject>
    {
        ["pfeiffer"] = [],
        ["houlsby"] = new() { ["mh_adapter"] = true, ["original_ln_before"] = false, ["non_linearity"] = "swish" },
        ["parallel"] = new() { ["is_parallel"] = true, ["original_ln_before"] = false, ["scaling"] = 4.0, ["reduction_factor"] = 2, ["init_weights"] = "mam_adapter" },
    };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string>
    {
        ["activation"] = "non_linearity", ["reduction"] = "reduction_factor", ["scale"] = "scaling", ["parallel"] = "is_parallel",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Options { get; } =
    [
        "reduction_factor", "non_linearity", "scaling", "dropout", "mh_adapter", "output_adapter", "is_parallel", "original_ln_before", "original_ln_after",
        "residual_before_ln", "init_weights", "leave_out",
    ];

    /// <inheritdoc/>
    public override JsonObject Defaults => new()
    {
        ["adapter_residual_before_ln"] = false,
        ["cross_adapter"] = false,
        ["dropout"] = 0.0,
        ["factorized_phm_W"] = true,
        ["factorized_phm_rule"] = false,
        ["hypercomplex_nonlinearity"] = "glorot-uniform",
        ["init_weights"] = "bert",
        ["init_weights_seed"] = null,
        ["inv_adapter"] = null,
        ["inv_adapter_reduction_factor"] = null,
        ["is_parallel"] = false,
        ["learn_phm"] = true,
        ["leave_out"] = new JsonArray(),
        ["ln_after"] = false,
        ["ln_before"] = false,
        ["mh_adapter"] = false,
        ["non_linearity"] = "relu",
        ["original_ln_after"] = true,
        ["original_ln_before"] = true,
        ["output_adapter"] = true,
        ["phm_bias"] = true,
        ["phm_c_init"] = "normal",
        ["phm_dim"] = 4,
        ["phm_init_range"] = 0.0001,
        ["phm_layer"] = false,
        ["phm_rank"] = 1,
        ["reduction_factor"] = 16,
        ["residual_before_ln"] = true,
        ["scaling"] = 1.0,
        ["shared_W_phm"] = false,
        ["shared_phm_rule"] = true,
        ["stochastic_depth"] = 0.0,
        ["use_gating"] = false,
    };

    internal override IReadOnlyList<string> WeightsNames { get; } = ["adapter.safetensors", "pytorch_adapter.bin"];

    internal override IReadOnlyDictionary<string, string>? WeightsMetadata => null;

    internal override bool Recognises(JsonConfig file) => !file.Has("peft_type") && file.Root["config"] is JsonObject options && options.ContainsKey("non_linearity");

    internal override JsonConfig ReadOptions(JsonConfig file, ref string name)
    {
        name = file.Text("name", "default");
        JsonObject options = (JsonObject)file.Root["config"]!.DeepClone();
        // releases before 2021 wrote no version, and called the approximation gelu
        if (!file.Has("version") && options["non_linearity"]?.ToString() is "gelu" or "gelu_orig")
            options["non_linearity"] = options["non_linearity"]!.ToString() == "gelu" ? "gelu_new" : "gelu";
        return new JsonConfig(options, file.Description);
    }

    internal override string? Obstacle(string folder)
    {
        string file = Path.Combine(folder, "head_config.json");
        if (!File.Exists(file))
            return null;
        string kind = JsonConfig.Load(file).Section("config")?.TextOrNull("head_type") is { } type ? $"of type {type} " : "";
        return $"holds a prediction head {kind}beside the adapter (head_config.json), which is not implemented: the base model's own head would give other numbers. Save the adapter without its head, or take the head's files out to use the base model's";
    }

    internal override JsonObject WriteOptions(Adapter adapter, string? baseModel)
    {
        JsonObject options = (JsonObject)adapter.Config.Root.DeepClone();
        foreach (string key in (string[])["peft_type", "task_type"])
            options.Remove(key);
        JsonObject root = (JsonObject?)adapter.Stored?.Root.DeepClone() ?? new JsonObject { ["model_class"] = null, ["model_name"] = null };
        root["config"] = options;
        root["hidden_size"] = adapter.Model.Facts.Hidden;
        root["model_type"] = adapter.Model.Facts.ModelType;
        root["name"] = adapter.Name;
        root["version"] = "adapters.1.3.0";
        if (baseModel is not null)
            root["model_name"] = baseModel;
        return root;
    }

    internal override string? ModelCard(JsonObject options) => null;

    /// <inheritdoc/>
    public override void Build(AdapterBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        JsonConfig config = builder.Config;
        CheckOptions(config, builder.Loading);
        string init = config.Text("init_weights", "bert");
        if (builder.Loading && config.Number("stochastic_depth", 0) != 0)
            builder.Notes.Add($"{config.Description}: stochastic_depth: is left out where the adapter is trained further; what it computes is the same");
        bool attention = config.Flag("mh_adapter", false), feedForward = config.Flag("output_adapter", true);
        BottleneckSettings settings = new(
            ReadActivation(config), (float)config.Number("scaling", 1), config.Flag("is_parallel", false), config.Flag("original_ln_before", true),
            config.Flag("original_ln_after", true), ReadResidual(config), (float)config.Number("dropout", 0), init == "mam_adapter");
        HashSet<int> skipped = [.. (config.NumbersOrNull("leave_out") ?? []).Select(layer => (int)layer)];
        if (builder.Broken)
            return;
        foreach (Sublayer place in builder.Model.Modules.OfType<Sublayer>())
        {
            if (skipped.Contains(place.Layer) || !(place.Kind == SublayerKind.Attention ? attention : feedForward))
                continue;
            double factor = ReductionFactor(config, place.Layer);
            if (factor <= 0)
            {
                config.Report("reduction_factor", $"a positive number was expected for layer {place.Layer}");
                return;
            }
            double inner = Math.Floor(place.Hidden / factor);
            if (!builder.Loading && inner > Math.Max(1024, 4.0 * place.Hidden))
            {
                config.Report("reduction_factor", string.Create(CultureInfo.InvariantCulture, $"found {factor}, which makes a bottleneck of {inner} numbers out of the {place.Hidden} of layer {place.Layer}; expected one that makes fewer, 16 for example"));
                return;
            }
            builder.Parts.Add(new Bottleneck(builder, place, (int)Math.Clamp(inner, 1, 1 << 24), settings));
        }
    }

    internal override void CheckOptions(JsonConfig config, bool loading)
    {
        foreach (string field in (string[])["ln_before", "ln_after", "phm_layer", "use_gating", "cross_adapter", "adapter_residual_before_ln"])
        {
            if (config.Flag(field, false))
                config.Report(field, "is not implemented, and leaving it out would change the result");
        }
        foreach (string field in (string[])["inv_adapter", "inv_adapter_reduction_factor"])
        {
            if (config.Has(field))
                config.Report(field, "is not implemented, and leaving it out would change the result");
        }
        string init = config.Text("init_weights", "bert");
        if (!loading)
        {
            if (init is not ("bert" or "mam_adapter"))
                config.Report("init_weights", $"\"bert\" or \"mam_adapter\" was expected, found \"{init}\"");
            if (config.Has("init_weights_seed"))
                config.Report("init_weights_seed", "is not implemented: the seed of the run decides the initial values");
        }
        if (config.Number("stochastic_depth", 0) != 0 && !loading)
            config.Report("stochastic_depth", "is not implemented: 0 was expected");
        foreach (string field in (string[])["mh_adapter", "output_adapter", "is_parallel", "original_ln_before", "original_ln_after"])
            config.Flag(field, false);
        ReadActivation(config);
        ReadResidual(config);
        config.Number("scaling", 1);
        config.Number("dropout", 0);
        config.NumbersOrNull("leave_out");
        if (ReductionFactor(config, 0) <= 0 && config.Root["reduction_factor"] is not JsonObject)
            config.Report("reduction_factor", "a positive number was expected");
    }

    private static Activation ReadActivation(JsonConfig config)
    {
        string name = config.Text("non_linearity", "relu");
        if (ActivationNames.Find(name) is { } activation)
            return activation;
        config.Report("non_linearity", $"one of {string.Join(", ", ActivationNames.All)} was expected, found \"{name}\"");
        return Activation.Relu;
    }

    private static BottleneckResidual ReadResidual(JsonConfig config)
    {
        if (config.Root["residual_before_ln"] is JsonValue text && text.GetValueKind() == System.Text.Json.JsonValueKind.String)
        {
            if (text.GetValue<string>() != "post_add")
                config.Report("residual_before_ln", "true, false or \"post_add\" was expected");
            return BottleneckResidual.Input;
        }
        return config.Flag("residual_before_ln", true) ? BottleneckResidual.Output : BottleneckResidual.Input;
    }

    private static double ReductionFactor(JsonConfig config, int layer)
    {
        if (config.Root["reduction_factor"] is not JsonObject)
            return config.Number("reduction_factor", 16);
        JsonConfig byLayer = config.Section("reduction_factor")!;
        return byLayer.NumberOrNull(layer.ToString(CultureInfo.InvariantCulture)) ?? byLayer.Number("default", 0);
    }
}
