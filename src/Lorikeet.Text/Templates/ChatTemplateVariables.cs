namespace Lorikeet.Text;

/// <summary>The special tokens that a model's files name, as the variables that chat templates know them by.</summary>
public sealed record ChatTemplateVariables
{
    /// <summary>A model that names none.</summary>
    public static ChatTemplateVariables None { get; } = new();

    /// <summary>
    /// Every variable by name: <c>bos_token</c>, <c>eos_token</c>, <c>unk_token</c>, <c>pad_token</c> and others of the kind, and
    /// <c>additional_special_tokens</c> as a list. A token that the model lacks is absent.
    /// </summary>
    public IReadOnlyDictionary<string, TemplateValue> All { get; init; } = new Dictionary<string, TemplateValue>();

    /// <summary>The token that begins a sequence, if the model has one.</summary>
    public string? BosToken => Find("bos_token");

    /// <summary>The token that ends a sequence or a turn, if the model has one.</summary>
    public string? EosToken => Find("eos_token");

    /// <summary>The token that fills up batches, if the model has one.</summary>
    public string? PadToken => Find("pad_token");

    /// <summary>The token for what cannot be encoded, if the model has one.</summary>
    public string? UnkToken => Find("unk_token");

    /// <summary>The token of this name, or null.</summary>
    public string? Find(string name) => All.TryGetValue(name, out TemplateValue value) ? value.Value as string : null;
}
