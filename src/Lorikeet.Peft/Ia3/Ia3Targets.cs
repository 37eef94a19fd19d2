namespace Lorikeet.Peft;

/// <summary>What IA³ acts on when a configuration names no targets, by architecture: PEFT's table, and for those that it lacks the natural choice.</summary>
internal static class Ia3Targets
{
    /// <summary>Module names, and which of them are scaled at their input; null where they must be named.</summary>
    public static (IReadOnlyList<string> Targets, IReadOnlyList<string> FeedForward)? Of(string modelType) => modelType switch
    {
        "llama" or "mistral" or "qwen2" or "qwen3" or "smollm3" => (["k_proj", "v_proj", "down_proj"], ["down_proj"]),
        "phi3" => (["qkv_proj", "down_proj"], ["down_proj"]),
        "gpt2" => (["c_attn", "mlp.c_proj"], ["mlp.c_proj"]),
        _ => null,
    };
}
