using System.Text;

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

    /// <summary>How <c>Metaspace</c> treats the begin, in its present and its older spelling.</summary>
    public static PrependScheme ReadScheme(JsonField field)
    {
        string? scheme = field["prepend_scheme"].Text();
        switch (scheme)
        {
            case "always":
                return PrependScheme.Always;
            case "never":
                return PrependScheme.Never;
            case "first":
                return PrependScheme.First;
            case null:
                return field["add_prefix_space"].Flag(true) ? PrependScheme.Always : PrependScheme.Never;
            default:
                field["prepend_scheme"].Problem($"expected always, never or first, found \"{scheme}\"");
                return PrependScheme.Always;
        }
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
            case "BertPreTokenizer":
                steps.Add(new BlankPreTokenizer());
                steps.Add(new PunctuationPreTokenizer(SplitBehavior.Isolated));
                break;
            case "Whitespace":
                steps.Add(new WordPreTokenizer());
                break;
            case "WhitespaceSplit":
                steps.Add(new BlankPreTokenizer());
                break;
            case "Digits":
                steps.Add(new DigitsPreTokenizer(field["individual_digits"].Flag(false)));
                break;
            case "Punctuation":
                steps.Add(new PunctuationPreTokenizer(ReadBehavior(field["behavior"], SplitBehavior.Isolated)));
                break;
            case "Split":
                steps.Add(new SplitPreTokenizer(PatternJson.Read(field["pattern"]), ReadBehavior(field["behavior"], null), field["invert"].Flag(false)));
                break;
            case "CharDelimiterSplit":
                steps.Add(new DelimiterPreTokenizer(ReadCharacter(field["delimiter"])));
                break;
            case "Metaspace":
                steps.Add(new MetaspacePreTokenizer(ReadCharacter(field["replacement"]), ReadScheme(field), field["split"].Flag(true)));
                break;
            case "UnicodeScripts":
                steps.Add(new ScriptPreTokenizer());
                break;
            case "FixedLength":
                int length = field["length"].Whole(5);
                if (length < 1)
                    field["length"].Problem($"expected at least 1, found {length}");
                steps.Add(new FixedLengthPreTokenizer(length));
                break;
            default:
                field["type"].Problem($"unknown pre-tokenizer \"{type}\"; known are BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, " +
                    "Metaspace, Punctuation, Sequence, Split, UnicodeScripts, Whitespace and WhitespaceSplit");
                break;
        }
    }

    private static SplitBehavior ReadBehavior(JsonField field, SplitBehavior? whenAbsent)
    {
        string? name = field.Text();
        if (name is null && whenAbsent is { } behavior)
            return behavior;
        if (Enum.TryParse(name, ignoreCase: false, out behavior) && Enum.IsDefined(behavior) && !char.IsAsciiDigit(name![0]))
            return behavior;
        field.Problem($"expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous, found {field.Describe()}");
        return SplitBehavior.Isolated;
    }

    private static Rune ReadCharacter(JsonField field)
    {
        string text = field.RequiredText();
        if (Rune.DecodeFromUtf16(text, out Rune rune, out int units) == System.Buffers.OperationStatus.Done && units == text.Length)
            return rune;
        field.Problem($"expected one character, found {field.Describe()}");
        return new(' ');
    }
}
