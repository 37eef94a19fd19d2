using System.Text;

namespace Lorikeet.Text.Tests;

/// <summary>Just enough of a GGUF reader to get at the tokenizer of a trusted test file.</summary>
internal static class GgufMetadata
{
    public static GgufVocabulary Read(string path)
    {
        using BinaryReader reader = new(File.OpenRead(path));
        reader.ReadBytes(4 + 4 + 8);
        Dictionary<string, object> values = [];
        for (ulong left = reader.ReadUInt64(); left > 0; left--)
        {
            string key = Text(reader);
            values[key] = Value(reader, reader.ReadUInt32());
        }
        T[] List<T>(string key) => values.TryGetValue(key, out object? list) ? [.. ((object[])list).Cast<T>()] : [];
        int? Id(string key) => values.TryGetValue(key, out object? id) ? unchecked((int)(uint)id) : null;
        bool? Flag(string key) => values.TryGetValue(key, out object? flag) ? (bool)flag : null;
        return new()
        {
            Name = values.GetValueOrDefault("general.name") as string,
            Model = (string)values["tokenizer.ggml.model"],
            Pre = values.GetValueOrDefault("tokenizer.ggml.pre") as string,
            Tokens = List<string>("tokenizer.ggml.tokens"),
            Scores = List<float>("tokenizer.ggml.scores"),
            TokenTypes = List<int>("tokenizer.ggml.token_type"),
            Merges = List<string>("tokenizer.ggml.merges"),
            BosId = Id("tokenizer.ggml.bos_token_id"),
            EosId = Id("tokenizer.ggml.eos_token_id"),
            UnkId = Id("tokenizer.ggml.unknown_token_id"),
            PadId = Id("tokenizer.ggml.padding_token_id"),
            SeparatorId = Id("tokenizer.ggml.seperator_token_id"),
            ClassifierId = Id("tokenizer.ggml.cls_token_id"),
            AddBos = Flag("tokenizer.ggml.add_bos_token"),
            AddEos = Flag("tokenizer.ggml.add_eos_token"),
            AddSpacePrefix = Flag("tokenizer.ggml.add_space_prefix"),
        };
    }

    private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));

    private static object Value(BinaryReader reader, uint type) => type switch
    {
        0 => reader.ReadByte(),
        1 => reader.ReadSByte(),
        2 => reader.ReadUInt16(),
        3 => reader.ReadInt16(),
        4 => reader.ReadUInt32(),
        5 => reader.ReadInt32(),
        6 => reader.ReadSingle(),
        7 => reader.ReadBoolean(),
        8 => Text(reader),
        9 => Items(reader),
        10 => reader.ReadUInt64(),
        11 => reader.ReadInt64(),
        12 => reader.ReadDouble(),
        _ => throw new InvalidDataException($"type {type}"),
    };

    private static object[] Items(BinaryReader reader)
    {
        uint type = reader.ReadUInt32();
        object[] items = new object[reader.ReadUInt64()];
        for (int i = 0; i < items.Length; i++)
            items[i] = Value(reader, type);
        return items;
    }
}
