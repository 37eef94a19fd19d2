namespace Lorikeet.Text;

/// <summary>Reads the <c>decoder</c> of a <c>tokenizer.json</c>.</summary>
internal static class DecoderJson
{
    /// <summary>Makes the first stage of a run in front of another; null where the file names no decoder.</summary>
    public static Func<DecodeStage, DecodeStage>? Read(JsonField field)
    {
        if (!field.Exists || !field.IsObject())
            return null;
        string type = field["type"].RequiredText();
        switch (type)
        {
            case "Sequence":
                Func<DecodeStage, DecodeStage>[] steps = [.. field["decoders"].Items().Select(Read).OfType<Func<DecodeStage, DecodeStage>>()];
                return next => steps.Reverse().Aggregate(next, (following, step) => step(following));
            case "ByteLevel":
                return next => new ByteLevelStage(next);
            case "ByteFallback":
                return next => new ByteFallbackStage(next);
            case "Fuse":
                return next => new FuseStage(next);
            case "WordPiece":
                string prefix = field["prefix"].Text() ?? "##";
                bool cleanup = field["cleanup"].Flag(true);
                return next => new WordPieceStage(prefix, cleanup, next);
            case "Metaspace":
                string mark = RequiredNonEmpty(field["replacement"]);
                PrependScheme scheme = PreTokenizerJson.ReadScheme(field);
                return next => new MetaspaceStage(mark, scheme, next);
            case "BPEDecoder":
                string suffix = field["suffix"].Text() ?? "</w>";
                return next => new BpeStage(suffix, next);
            case "CTC":
                string pad = field["pad_token"].Text() ?? "<pad>";
                string delimiter = field["word_delimiter_token"].Text() ?? "|";
                bool tidy = field["cleanup"].Flag(true);
                return next => new CtcStage(pad, delimiter, tidy, next);
            case "Replace":
                TextPattern pattern = PatternJson.Read(field["pattern"]);
                string content = field["content"].RequiredText();
                return next => new ReplaceStage(pattern, content, next);
            case "Strip":
                string stripped = RequiredNonEmpty(field["content"]);
                int left = field["start"].Whole(0);
                int right = field["stop"].Whole(0);
                return next => new StripStage(stripped, left, right, next);
            default:
                field["type"].Problem($"unknown decoder \"{type}\"; known are " +
                    "BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, Replace, Sequence, Strip and WordPiece");
                return null;
        }
    }

    private static string RequiredNonEmpty(JsonField field)
    {
        string text = field.RequiredText();
        if (text.Length > 0)
            return text;
        field.Problem("expected a character");
        return " ";
    }
}
