using Lorikeet.Formats;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>Reads what a GGUF file says about text: the vocabulary and the tokens that end it.</summary>
internal static class GgufText
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>The vocabulary.</summary>
    /// <exception cref="InputException">The file has none, or a key holds something else.</exception>
    public static GgufVocabulary Vocabulary(GgufMetadata metadata, string file)
    {
        if (metadata.Text(Prefix + "model") is not { } model || metadata.Texts(Prefix + "tokens") is not { } tokens)
            throw new InputException($"{file}: the GGUF metadata hold no tokenizer ({Prefix}model and {Prefix}tokens)");
        return new GgufVocabulary
        {
            Model = model,
            Name = metadata.Text("general.name"),
            Pre = metadata.Text(Prefix + "pre"),
            Tokens = tokens,
            Scores = metadata.Numbers(Prefix + "scores") ?? [],
            TokenTypes = [.. (metadata.Integers(Prefix + "token_type") ?? []).Select(type => (int)type)],
            Merges = metadata.Texts(Prefix + "merges") ?? [],
            BosId = Id(metadata, "bos_token_id"),
            EosId = Id(metadata, "eos_token_id"),
            UnkId = Id(metadata, "unknown_token_id"),
            PadId = Id(metadata, "padding_token_id"),
            SeparatorId = Id(metadata, "seperator_token_id"),
            ClassifierId = Id(metadata, "cls_token_id"),
            AddBos = metadata.Flag(Prefix + "add_bos_token"),
            AddEos = metadata.Flag(Prefix + "add_eos_token"),
            AddSpacePrefix = metadata.Flag(Prefix + "add_space_prefix"),
            RemoveExtraWhitespaces = metadata.Flag(Prefix + "remove_extra_whitespaces"),
            PrecompiledCharsmap = Bytes(metadata, Prefix + "precompiled_charsmap"),
        };
    }

    /// <summary>The ends of a sequence, of a turn and of a message.</summary>
    public static IEnumerable<int> EndTokens(GgufMetadata metadata) =>
        new[] { "eos_token_id", "eot_token_id", "eom_token_id" }.Select(key => Id(metadata, key)).OfType<int>();

    // files write -1 or 2^32 - 1 for none
    private static int? Id(GgufMetadata metadata, string key) => metadata.Integer(Prefix + key) is >= 0 and <= int.MaxValue and { } id ? (int)id : null;

    private static byte[] Bytes(GgufMetadata metadata, string key) => metadata.GetValueOrDefault(key) switch
    {
        byte[] bytes => bytes,
        sbyte[] bytes => [.. bytes.Select(value => (byte)value)],
        _ => [],
    };
}
