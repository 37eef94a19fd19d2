namespace Lorikeet.Text;

/// <summary>The tokenizer that a GGUF file carries in its metadata; each property names the key that it is read from.</summary>
public sealed record GgufVocabulary
{
    /// <summary><c>tokenizer.ggml.model</c>: <c>llama</c> (SentencePiece BPE), <c>gpt2</c> (byte-level BPE), <c>bert</c> (WordPiece) or <c>t5</c> (Unigram).</summary>
    public required string Model { get; init; }

    /// <summary><c>general.name</c>: Phi-3's special tokens swallow the blanks behind them, which no other key says.</summary>
    public string? Name { get; init; }

    /// <summary><c>tokenizer.ggml.pre</c>: the name of the word pattern of a <c>gpt2</c> model, such as <c>llama-bpe</c>, <c>qwen2</c> or <c>smollm</c>.</summary>
    public string? Pre { get; init; }

    /// <summary><c>tokenizer.ggml.tokens</c>.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary><c>tokenizer.ggml.scores</c>: one for each token, or empty.</summary>
    public IReadOnlyList<float> Scores { get; init; } = [];

    /// <summary><c>tokenizer.ggml.token_type</c>: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; one for each token, or empty.</summary>
    public IReadOnlyList<int> TokenTypes { get; init; } = [];

    /// <summary><c>tokenizer.ggml.merges</c>: the pairs of a <c>gpt2</c> model, first merge first, the two sides separated by a blank.</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    /// <summary><c>tokenizer.ggml.bos_token_id</c>; here and below a number outside the vocabulary counts as none.</summary>
    public int? BosId { get; init; }

    /// <summary><c>tokenizer.ggml.eos_token_id</c>.</summary>
    public int? EosId { get; init; }

    /// <summary><c>tokenizer.ggml.unknown_token_id</c>.</summary>
    public int? UnkId { get; init; }

    /// <summary><c>tokenizer.ggml.padding_token_id</c>.</summary>
    public int? PadId { get; init; }

    /// <summary><c>tokenizer.ggml.seperator_token_id</c> (spelled so in the files).</summary>
    public int? SeparatorId { get; init; }

    /// <summary><c>tokenizer.ggml.cls_token_id</c>.</summary>
    public int? ClassifierId { get; init; }

    /// <summary><c>tokenizer.ggml.add_bos_token</c>; null takes the model's default.</summary>
    public bool? AddBos { get; init; }

    /// <summary><c>tokenizer.ggml.add_eos_token</c>; null takes the model's default.</summary>
    public bool? AddEos { get; init; }

    /// <summary><c>tokenizer.ggml.add_space_prefix</c>; null takes the model's default.</summary>
    public bool? AddSpacePrefix { get; init; }

    /// <summary><c>tokenizer.ggml.remove_extra_whitespaces</c>; null takes the model's default.</summary>
    public bool? RemoveExtraWhitespaces { get; init; }

    /// <summary><c>tokenizer.ggml.precompiled_charsmap</c>: SentencePiece's table of character replacements, or empty.</summary>
    public ReadOnlyMemory<byte> PrecompiledCharsmap { get; init; }

    /// <summary>The same tokenizer as a <c>tokenizer.json</c>, for kinds <c>gpt2</c> and <c>llama</c>.</summary>
    /// <returns>The file's bytes.</returns>
    /// <exception cref="TokenizerException">It is broken, of another kind, or such a file cannot say what it does.</exception>
    public byte[] ToTokenizerJson() => GgufTokenizerJson.Write(this);

    /// <summary>What a GGUF file says of the tokenizer of a Hugging Face folder: byte-level BPE of a named word pattern, or a SentencePiece model.</summary>
    /// <param name="folderOrFile">A model's folder, or the file itself.</param>
    /// <exception cref="TokenizerException">It is broken, or no GGUF file can say what it does.</exception>
    public static GgufVocabulary FromFolder(string folderOrFile)
    {
        ArgumentException.ThrowIfNullOrEmpty(folderOrFile);
        return GgufConversion.Convert(folderOrFile);
    }
}
