namespace Lorikeet.Models;

/// <summary>What GGUF files of the Llama family call tensors, and in which order they keep the rows of queries and keys.</summary>
public static class GgufNames
{
    // ours on the left of a colon is ggml's; N stands for the block's number
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["model.embed_tokens.weight"] = "token_embd.weight",
        ["model.norm.weight"] = "output_norm.weight",
        ["lm_head.weight"] = "output.weight",
        ["input_layernorm"] = "attn_norm",
        ["post_attention_layernorm"] = "ffn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.qkv_proj"] = "attn_qkv",
        ["self_attn.o_proj"] = "attn_output",
        ["self_attn.q_norm"] = "attn_q_norm",
        ["self_attn.k_norm"] = "attn_k_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.gate_up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
    };

    /// <summary>What <c>general.architecture</c> says of such a model.</summary>
    public static string Architecture(DecoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config.ModelType == "mistral" ? "llama" : config.ModelType;
    }

    /// <summary>ggml's name of a tensor; null where it has none.</summary>
    /// <param name="name">As in a Hugging Face folder: <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
    public static string? Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Names.TryGetValue(name, out string? whole))
            return whole;
        string[] parts = name.Split('.');
        return parts.Length >= 5 && parts[1] == "layers" && Names.TryGetValue(string.Join('.', parts[3..^1]), out string? block)
            ? $"blk.{parts[2]}.{block}.{parts[^1]}"
            : null;
    }

    /// <summary>The name of a Hugging Face folder for ggml's; ggml's own where there is none.</summary>
    /// <param name="name">As in a file: <c>blk.0.attn_q.weight</c>.</param>
    /// <param name="fused">True for models that have gate and up in one matrix.</param>
    public static string ToHub(string name, bool fused)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] parts = name.Split('.');
        if (parts.Length < 4 || parts[0] != "blk")
            return Names.FirstOrDefault(pair => pair.Value == name).Key ?? name;
        string? hub = Names.FirstOrDefault(pair => pair.Value == string.Join('.', parts[2..^1])
            && (pair.Key != "mlp.up_proj" || !fused) && (pair.Key != "mlp.gate_up_proj" || fused)).Key;
        return hub is null ? name : $"model.layers.{parts[1]}.{hub}.{parts[^1]}";
    }

    /// <summary>
    /// The heads whose rows a file keeps in another order: llama.cpp's converter of the llama architecture rotates neighbouring rows of queries and keys,
    /// ours are half a head apart. Null for other tensors, whose rows stay where they are.
    /// </summary>
    /// <param name="name">As in a Hugging Face folder.</param>
    /// <param name="config">The model.</param>
    public static int? TurnedHeads(string name, DecoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Architecture(config) is not ("llama" or "smollm3"))
            return null;
        return name.Contains(".self_attn.q_proj.", StringComparison.Ordinal) ? config.Heads
            : name.Contains(".self_attn.k_proj.", StringComparison.Ordinal) ? config.KvHeads : null;
    }

    /// <summary>Where the file has one of our rows: [heads, 2, half] becomes [heads, half, 2].</summary>
    public static int TurnedRow(int row, int headDim)
    {
        int within = row % headDim, half = headDim / 2;
        return row - within + within % half * 2 + within / half;
    }

    /// <summary>The row of ours that the file has there.</summary>
    public static int OwnRow(int row, int headDim)
    {
        int within = row % headDim;
        return row - within + within % 2 * (headDim / 2) + within / 2;
    }
}
