namespace Lorikeet.Text;

/// <summary>Reads the <c>pre_tokenizer</c> of a <c>tokenizer.json</c>.</summary>
internal static class PreTokenizerJson
{
    /// <summary>The steps in order, sequences flattened.</summary>
    public static List<PreTokenizer> Read(JsonField field)
    {
        List<PreTokenizer> steps = [];
        if (field.Exists && field.IsObject())
            Read(field, steps);
        return steps;
    }

    private static void Read(JsonField field, List<PreTokenizer> steps)
    {
        string type = field["type"].RequiredText();
        switch (type)
        {
            case "Sequence":
                foreach (JsonField item in field["pretokenizers"].Items())
                    if (item.IsObject())
                        Read(item, steps);
                break;
            case "ByteLevel":
                steps.Add(new ByteLevelPreTokenizer(field["add_prefix_space"].Flag(true), field["use_regex"].Flag(true)));
                break;
            default:
                field["type"].Problem($"unknown pre-tokenizer \"{type}\"");
                break;
        }
    }
}
