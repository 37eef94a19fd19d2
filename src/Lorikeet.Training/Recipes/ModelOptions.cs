using System.ComponentModel.DataAnnotations;

namespace Lorikeet.Training;

/// <summary>The model that a run starts from.</summary>
[Shorthand(nameof(Path))]
public sealed record ModelOptions
{
    /// <summary>A Hugging Face folder, a GGUF file, a name on the hub that was pulled, or <c>random:NAME</c> for untrained weights of a known shape.</summary>
    [Required]
    public string Path { get; init; } = "";

    /// <summary>A folder or file to take the tokenizer from, if not the model's own.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>A file with the chat template, if not the model's own.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>
    /// Storage of the frozen matrices in memory: <c>nf4</c> or <c>nf4-dq</c> for QLoRA, <c>int8</c>, <c>q4_0</c> and so on; not given, as the model's files
    /// have them. A model that was saved in such a storage needs no entry here.
    /// </summary>
    public string? Quantize { get; init; }

    /// <summary>
    /// Storage in memory of the table of embeddings and of the head, which <see cref="Quantize"/> in the formats of bitsandbytes leaves alone as bitsandbytes
    /// does: <c>q8_0</c> halves them. Not given, as <see cref="Quantize"/> or the model's files have them.
    /// </summary>
    public string? QuantizeEmbeddings { get; init; }
}
