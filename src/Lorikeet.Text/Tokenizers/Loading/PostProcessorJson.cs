using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>Reads the <c>post_processor</c> of a <c>tokenizer.json</c>.</summary>
internal static class PostProcessorJson
{
    public static SpecialTokenTemplate Read(JsonField field) =>
        field.Exists && field.IsObject() ? Read(field, SpecialTokenTemplate.None) : SpecialTokenTemplate.None;

    private static SpecialTokenTemplate Read(JsonField field, SpecialTokenTemplate template)
    {
        string type = field["type"].RequiredText();
        switch (type)
        {
            case "Sequence":
                foreach (JsonField item in field["processors"].Items())
                    if (item.IsObject())
                        template = Read(item, template);
                return template;
            case "ByteLevel":
                return Trim(field, template);
            case "RobertaProcessing":
                return Trim(field, Between(template, Token(field["cls"]), Token(field["sep"]), doubled: true));
            case "BertProcessing":
                return Between(template, Token(field["cls"]), Token(field["sep"]), doubled: false);
            case "TemplateProcessing":
                return template with { Single = Parts(field["single"], field), Pair = Parts(field["pair"], field) };
            default:
                field["type"].Problem($"unknown post-processor \"{type}\"; known are " +
                    "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequence");
                return template;
        }
    }

    private static SpecialTokenTemplate Trim(JsonField field, SpecialTokenTemplate template) =>
        field["trim_offsets"].Flag(true)
            ? template with { TrimOffsets = true, FirstBlankIsAdded = field["add_prefix_space"].Flag(true) }
            : template;

    /// <summary>BERT separates a pair by one token and tells the second apart; RoBERTa separates by two and does not.</summary>
    private static SpecialTokenTemplate Between(SpecialTokenTemplate template, int[] cls, int[] sep, bool doubled)
    {
        int second = doubled ? 0 : 1;
        return template with
        {
            Single = [new(-1, cls, 0), new(0, [], 0), new(-1, sep, 0)],
            Pair = [new(-1, cls, 0), new(0, [], 0), new(-1, doubled ? [.. sep, .. sep] : sep, 0), new(1, [], second), new(-1, sep, second)],
        };
    }

    /// <summary>A token written as [text, number].</summary>
    private static int[] Token(JsonField field)
    {
        JsonField[] sides = [.. field.Items()];
        if (sides.Length == 2)
            return [sides[1].RequiredId()];
        field.Problem("expected a token and its number");
        return [];
    }

    private static TemplatePart[] Parts(JsonField list, JsonField template)
    {
        List<TemplatePart> parts = [];
        foreach (JsonField item in list.Items())
        {
            JsonField special = item["SpecialToken"];
            JsonField sequence = item["Sequence"];
            if (special.Kind == JsonValueKind.Object)
            {
                string name = special["id"].RequiredText();
                JsonField ids = template["special_tokens"][name]["ids"];
                if (!ids.Exists)
                    special.Problem($"the token \"{name}\" is not among special_tokens");
                parts.Add(new(-1, [.. ids.Items().Select(i => i.RequiredId())], special["type_id"].Whole(0)));
            }
            else if (sequence.Kind == JsonValueKind.Object)
                parts.Add(new(sequence["id"].RequiredText() == "B" ? 1 : 0, [], sequence["type_id"].Whole(0)));
            else
                item.Problem("expected SpecialToken or Sequence");
        }
        return [.. parts];
    }
}
