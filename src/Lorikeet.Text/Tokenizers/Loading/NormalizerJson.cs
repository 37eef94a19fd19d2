namespace Lorikeet.Text;

/// <summary>Reads the <c>normalizer</c> of a <c>tokenizer.json</c>.</summary>
internal static class NormalizerJson
{
    public static Normalizer? Read(JsonField field)
    {
        if (!field.Exists || !field.IsObject())
            return null;
        string type = field["type"].RequiredText();
        switch (type)
        {
            case "Sequence":
                return new SequenceNormalizer([.. field["normalizers"].Items().Select(Read).OfType<Normalizer>()]);
            case "NFC":
                return new UnicodeFormNormalizer(compose: true, compatible: false);
            case "NFD":
                return new UnicodeFormNormalizer(compose: false, compatible: false);
            case "NFKC":
                return new UnicodeFormNormalizer(compose: true, compatible: true);
            case "NFKD":
                return new UnicodeFormNormalizer(compose: false, compatible: true);
            case "Lowercase":
                return new LowercaseNormalizer();
            case "Strip":
                return new StripNormalizer(field["strip_left"].Flag(true), field["strip_right"].Flag(true));
            case "StripAccents":
                return new StripAccentsNormalizer();
            case "Nmt":
                return new NmtNormalizer();
            case "Prepend":
                return new PrependNormalizer(field["prepend"].RequiredText());
            case "Replace":
                return new ReplaceNormalizer(PatternJson.Read(field["pattern"]), field["content"].RequiredText());
            case "ByteLevel":
                return new ByteLevelNormalizer();
            case "BertNormalizer" or "Bert":
                bool lowercase = field["lowercase"].Flag(true);
                return new BertNormalizer(
                    field["clean_text"].Flag(true), field["handle_chinese_chars"].Flag(true), field["strip_accents"].Flag(lowercase), lowercase);
            case "Precompiled":
                return ReadPrecompiled(field["precompiled_charsmap"]);
            default:
                field["type"].Problem($"unknown normalizer \"{type}\"; known are BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, " +
                    "Precompiled, Prepend, Replace, Sequence, Strip and StripAccents");
                return null;
        }
    }

    private static PrecompiledNormalizer? ReadPrecompiled(JsonField field)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(field.Text() ?? "");
        }
        catch (FormatException)
        {
            field.Problem("expected base64");
            return null;
        }
        CharacterMap? map = CharacterMap.Read(bytes, field.Problem);
        return map is null ? null : new(map);
    }
}
