namespace Lorikeet.Peft;

/// <summary>What LoRA acts on when a configuration names no targets, by architecture: PEFT's table, and for those that it lacks the natural choice.</summary>
internal static class LoraTargets
{
    /// <summary>Module names, or null where they must be named.</summary>
    public static IReadOnlyList<string>? Of(string modelType) => modelType switch
    {
        "llama" or "mistral" or "qwen2" or "qwen3" or "smollm3" => ["q_proj", "v_proj"],
        "phi3" => ["qkv_proj"],
        "gpt2" => ["c_attn"],
        _ => null,
    };
}
