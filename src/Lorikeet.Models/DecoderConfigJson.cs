using System.Text.Json.Nodes;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>A decoder's configuration as the <c>config.json</c> that transformers reads.</summary>
internal static class DecoderConfigJson
{
    private static readonly Dictionary<string, string> Architectures = new(StringComparer.Ordinal)
    {
        ["llama"] = "LlamaForCausalLM",
        ["mistral"] = "MistralForCausalLM",
        ["phi3"] = "Phi3ForCausalLM",
        ["qwen2"] = "Qwen2ForCausalLM",
        ["qwen3"] = "Qwen3ForCausalLM",
        ["smollm3"] = "SmolLM3ForCausalLM",
    };

    /// <summary>Writes every field that differs between decoders.</summary>
    /// <exception cref="InputException">No model type has this combination.</exception>
    public static JsonObject Write(DecoderConfig c)
    {
        int window = c.Windows.FirstOrDefault(width => width > 0);
        // GGUF calls Mistral llama; only the window tells them apart
        string type = c.ModelType == "llama" && window > 0 ? "mistral" : c.ModelType;
        if (type != "qwen2" && c.QkvBias != c.OutputBias)
            throw new InputException($"no config.json of type {type} can say that only some of the attention projections have biases");
        JsonObject json = new()
        {
            ["architectures"] = new JsonArray(Architectures[type]),
            ["attention_bias"] = c.QkvBias && type != "qwen2",
            ["attention_dropout"] = 0.0,
            ["head_dim"] = c.HeadDim,
            ["hidden_act"] = ActivationNames.NameOf(c.Activation),
            ["hidden_size"] = c.Hidden,
            ["initializer_range"] = 0.02,
            ["intermediate_size"] = c.Intermediate,
            ["max_position_embeddings"] = c.ContextLength,
            ["mlp_bias"] = c.MlpBias,
            ["model_type"] = type,
            ["num_attention_heads"] = c.Heads,
            ["num_hidden_layers"] = c.Layers,
            ["num_key_value_heads"] = c.KvHeads,
            ["rms_norm_eps"] = Shortest(c.NormEpsilon),
            ["rope_theta"] = c.Rope.Theta,
            ["tie_word_embeddings"] = c.Tied,
            ["use_cache"] = true,
            ["vocab_size"] = c.Vocabulary,
        };
        if (c.RotaryDim != c.HeadDim)
            json["partial_rotary_factor"] = c.RotaryDim / (double)c.HeadDim;
        if (type == "smollm3")
            json["no_rope_layers"] = new JsonArray([.. c.Rotates.Select(rotates => (JsonNode)(rotates ? 1 : 0))]);
        if (type is "mistral" or "phi3")
            json["sliding_window"] = window > 0 ? window : null;
        if (window > 0 && type is ("qwen2" or "qwen3" or "smollm3"))
        {
            json["sliding_window"] = window;
            json["use_sliding_window"] = true;
            json["layer_types"] = new JsonArray([.. c.Windows.Select(width => (JsonNode)(width > 0 ? "sliding_attention" : "full_attention"))]);
        }
        WriteRope(json, c.Rope);
        return json;
    }

    private static void WriteRope(JsonObject json, RopeScaling rope)
    {
        if (rope.Kind == RopeScalingKind.None)
            return;
        JsonObject scaling = new() { ["rope_type"] = rope.Kind.ToString().ToLowerInvariant(), ["factor"] = rope.Factor };
        if (rope.AttentionFactor is { } attention)
            scaling["attention_factor"] = attention;
        if (rope.Kind is RopeScalingKind.Yarn or RopeScalingKind.Llama3 or RopeScalingKind.LongRope)
            scaling["original_max_position_embeddings"] = rope.OriginalMaxPositions;
        switch (rope.Kind)
        {
            case RopeScalingKind.Yarn:
                scaling["beta_fast"] = rope.BetaFast;
                scaling["beta_slow"] = rope.BetaSlow;
                if (rope.Mscale != 0)
                    scaling["mscale"] = rope.Mscale;
                if (rope.MscaleAllDim != 0)
                    scaling["mscale_all_dim"] = rope.MscaleAllDim;
                if (!rope.Truncate)
                    scaling["truncate"] = false;
                break;
            case RopeScalingKind.Llama3:
                scaling["low_freq_factor"] = rope.LowFrequencyFactor;
                scaling["high_freq_factor"] = rope.HighFrequencyFactor;
                break;
            case RopeScalingKind.LongRope:
                // Phi-3 has it outside
                json["original_max_position_embeddings"] = rope.OriginalMaxPositions;
                scaling["short_factor"] = new JsonArray([.. rope.ShortFactors.Select(factor => (JsonNode)factor)]);
                scaling["long_factor"] = new JsonArray([.. rope.LongFactors.Select(factor => (JsonNode)factor)]);
                break;
        }
        json["rope_scaling"] = scaling;
    }

    // 1e-05f as a double is 9.999999747e-06; its own shortest digits are what was meant
    private static double Shortest(float value) =>
        double.Parse(value.ToString("R", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
