using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>
/// Bottleneck adapters at the end of sub-layers — Pfeiffer (arXiv:2005.00247), Houlsby (arXiv:1902.00751), parallel (arXiv:2110.04366) — in the
/// format of AdapterHub's library.
/// </summary>
public sealed class BottleneckMethod : PeftMethod
{
    private const string WeightsName = "adapter.safetensors";
    private const string OlderWeightsName = "pytorch_adapter.bin";

    /// <inheritdoc/>
    public override string Type => "BOTTLENECK";

    /// <inheritdoc/>
    public override string RecipeName => "pfeiffer";

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

    /// <summary>True where a configuration is one of AdapterHub's bottlenecks.</summary>
    public static bool Recognises(JsonConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return !config.Has("peft_type") && config.Root["config"] is JsonObject inner && inner.ContainsKey("non_linearity");
    }

    /// <inheritdoc/>
    public override void Build(AdapterBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        JsonConfig config = builder.Config;
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
        bool attention = config.Flag("mh_adapter", false), feedForward = config.Flag("output_adapter", true);
        BottleneckSettings settings = new(
            ReadActivation(config), (float)config.Number("scaling", 1), config.Flag("is_parallel", false), config.Flag("original_ln_before", true),
            config.Flag("original_ln_after", true), ReadResidual(config), (float)config.Number("dropout", 0));
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
            builder.Parts.Add(new Bottleneck(builder, place, Math.Max(1, (int)(place.Hidden / factor)), settings));
        }
    }

    internal static Adapter Load(Model model, string folder, JsonConfig file)
    {
        BottleneckMethod method = PeftRegistry.Methods.OfType<BottleneckMethod>().Single();
        string name = file.Text("name", "default");
        JsonConfig config = new((JsonObject)file.Root["config"]!.DeepClone(), file.Description);
        method.FillDefaults(config);
        string path = File.Exists(Path.Combine(folder, WeightsName)) ? Path.Combine(folder, WeightsName) : Path.Combine(folder, OlderWeightsName);
        using ITensorSource weights = TensorFiles.Open(path);
        using AdapterBuilder builder = new(model, config, name, weights, seed: 0);
        method.Build(builder);
        return builder.Finish(method);
    }

    internal static void Save(Adapter adapter, string folder)
    {
        JsonObject inner = (JsonObject)adapter.Config.Root.DeepClone();
        foreach (string key in (string[])["peft_type", "task_type"])
            inner.Remove(key);
        JsonObject root = new()
        {
            ["config"] = inner,
            ["hidden_size"] = adapter.Model.Facts.Hidden,
            ["model_class"] = null,
            ["model_name"] = null,
            ["model_type"] = adapter.Model.Facts.ModelType,
            ["name"] = adapter.Name,
            ["version"] = "adapters.1.3.0",
        };
        new JsonConfig(root, "adapter_config.json").Save(Path.Combine(folder, "adapter_config.json"), JsonStyle.AdapterConfig);
        SafetensorsWriter.Write(Path.Combine(folder, WeightsName),
            adapter.Parameters.Select(p => new SafetensorsEntry(p.Name, DType.F32, p.Value.Shape.ToArray(), p.Value.Contents.CopyTo)), SafetensorsWriter.TorchFormat);
    }

    private static Activation ReadActivation(JsonConfig config)
    {
        switch (config.Text("non_linearity", "relu"))
        {
            case "relu":
                return Activation.Relu;
            case "swish" or "silu":
                return Activation.Silu;
            case "gelu":
                return Activation.Gelu;
            case "gelu_new":
                return Activation.GeluTanh;
            case "tanh":
                return Activation.Tanh;
            case "sigmoid":
                return Activation.Sigmoid;
            default:
                config.Report("non_linearity", "one of relu, swish, gelu, gelu_new, tanh, sigmoid was expected");
                return Activation.Relu;
        }
    }

    private static BottleneckResidual ReadResidual(JsonConfig config)
    {
        if (config.Root["residual_before_ln"] is JsonValue text && text.GetValueKind() == System.Text.Json.JsonValueKind.String)
        {
            if (text.GetValue<string>() != "post_add")
                config.Report("residual_before_ln", "true, false or \"post_add\" was expected");
            return BottleneckResidual.AfterSum;
        }
        return config.Flag("residual_before_ln", true) ? BottleneckResidual.Output : BottleneckResidual.AfterSum;
    }

    private static double ReductionFactor(JsonConfig config, int layer)
    {
        if (config.Root["reduction_factor"] is not JsonObject)
            return config.Number("reduction_factor", 16);
        JsonConfig byLayer = config.Section("reduction_factor")!;
        return byLayer.NumberOrNull(layer.ToString(CultureInfo.InvariantCulture)) ?? byLayer.Number("default", 0);
    }
}
