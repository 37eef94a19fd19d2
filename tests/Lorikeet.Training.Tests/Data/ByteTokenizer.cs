using System.Text.Json.Nodes;
using Lorikeet.Text;

namespace Lorikeet.Training.Tests;

/// <summary>A tokenizer of bytes with the special tokens of a chat model, built through the same file that real ones come in.</summary>
internal static class ByteTokenizer
{
    public const int Begin = 256, End = 257, TurnStart = 258, TurnEnd = 259;

    public static Tokenizer Create(bool withBegin = true)
    {
        JsonObject vocabulary = [];
        int other = 256;
        for (int b = 0; b < 256; b++)
        {
            // GPT-2's spelling of bytes: printable ones as themselves, the others from U+0100 on
            bool printable = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            vocabulary[((char)(printable ? b : other++)).ToString()] = b;
        }
        string[] special = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"];
        JsonArray added = [.. special.Select((content, i) => (JsonNode)new JsonObject
        {
            ["id"] = 256 + i, ["content"] = content, ["special"] = true, ["normalized"] = false, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false,
        })];
        JsonObject file = new()
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false },
            ["post_processor"] = !withBegin ? null : new JsonObject
            {
                ["type"] = "TemplateProcessing",
                ["single"] = new JsonArray(Special("<s>"), Sequence("A"), Special("</s>")),
                ["pair"] = new JsonArray(Special("<s>"), Sequence("A"), Sequence("B"), Special("</s>")),
                ["special_tokens"] = new JsonObject
                {
                    ["<s>"] = new JsonObject { ["id"] = "<s>", ["ids"] = new JsonArray(256), ["tokens"] = new JsonArray("<s>") },
                    ["</s>"] = new JsonObject { ["id"] = "</s>", ["ids"] = new JsonArray(257), ["tokens"] = new JsonArray("</s>") },
                },
            },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
        string folder = Directory.CreateTempSubdirectory("lorikeet-tokenizer").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), file.ToJsonString());
            return Tokenizer.Load(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonObject Special(string id) => new() { ["SpecialToken"] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };

    private static JsonObject Sequence(string id) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };
}
