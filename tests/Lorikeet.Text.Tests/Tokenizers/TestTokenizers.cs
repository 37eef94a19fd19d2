using System.Text;
using System.Text.Json;

namespace Lorikeet.Text.Tests;

/// <summary>Small tokenizers made of JSON that a test writes out.</summary>
internal static class TestTokenizers
{
    /// <summary>A word-level vocabulary of the given tokens, which shows what the steps before the model do.</summary>
    public static Tokenizer Words(string[] tokens, string extra = "") =>
        Json($$"""{"model":{"type":"WordLevel","unk_token":"?","vocab":{{Vocabulary(["?", .. tokens])}}}{{Comma(extra)}}}""");

    /// <summary>Reads a <c>tokenizer.json</c> in memory.</summary>
    public static Tokenizer Json(string json)
    {
        using JsonDocument document = JsonField.Parse(Encoding.UTF8.GetBytes(json), "test.json");
        return TokenizerJson.Load(document, "test.json", TokenizerSettings.None);
    }

    /// <summary>The pieces and their places that a pre-tokenizer makes of a text.</summary>
    public static (string Piece, int Start, int End)[] Pieces(string preTokenizer, string text, string? normalizer = null)
    {
        ProblemList problems = new("test");
        using JsonDocument document = JsonDocument.Parse(preTokenizer);
        using JsonDocument normalizerDocument = JsonDocument.Parse(normalizer ?? "null");
        List<PreTokenizer> steps = PreTokenizerJson.Read(new(document.RootElement, "pre_tokenizer", problems));
        Normalizer? rewrite = NormalizerJson.Read(new(normalizerDocument.RootElement, "normalizer", problems));
        problems.ThrowIfAny();
        AlignedText aligned = new(text, 0, text.Length);
        rewrite?.Apply(aligned);
        PreTokenizedText pieces = PreTokenizedText.Rent(aligned, 0, aligned.Length);
        foreach (PreTokenizer step in steps)
            step.Apply(pieces);
        return [.. pieces.Pieces.Select(p => Place(pieces.Text, p.Start, p.End))];
    }

    /// <summary>A text after a normalizer, and where each of its units came from.</summary>
    public static (string Text, (int Start, int End)[] Places) Normalized(string normalizer, string text)
    {
        ProblemList problems = new("test");
        using JsonDocument document = JsonDocument.Parse(normalizer);
        Normalizer rewrite = NormalizerJson.Read(new(document.RootElement, "normalizer", problems))!;
        problems.ThrowIfAny();
        AlignedText aligned = new(text, 0, text.Length);
        rewrite.Apply(aligned);
        return (aligned.Text.ToString(), [.. Enumerable.Range(0, aligned.Length).Select(i => (aligned.OriginalStart(i), aligned.OriginalEnd(i)))]);
    }

    /// <summary>What a decoder makes of tokens, whole and token by token.</summary>
    public static (string Whole, string[] Parts) Decoded(string decoder, params string[] tokens)
    {
        ProblemList problems = new("test");
        using JsonDocument document = JsonDocument.Parse(decoder);
        Func<DecodeStage, DecodeStage> make = DecoderJson.Read(new(document.RootElement, "decoder", problems))!;
        problems.ThrowIfAny();
        StagedDecoding whole = new(id => tokens[id], make);
        StagedDecoding parts = new(id => tokens[id], make);
        List<string> texts = [];
        for (int i = 0; i < tokens.Length; i++)
        {
            whole.Append(i);
            parts.Append(i);
            texts.Add(parts.Take());
        }
        whole.Finish();
        parts.Finish();
        return (whole.Take(), [.. texts, parts.Take()]);
    }

    public static string Vocabulary(IEnumerable<string> tokens) =>
        "{" + string.Join(",", tokens.Select((t, i) => $"{JsonSerializer.Serialize(t)}:{i}")) + "}";

    /// <summary>A text of characters that tokenizers treat differently, from a fixed seed.</summary>
    public static string RandomText(Random random, int length)
    {
        string[] alphabet =
        [
            "a", "b", "s", "t", "r", "e", "v", "l", "S", "E", "ſ", "K", "é", "e\u0301", "ß", "İ", "ж", "中", "文", "한", "\u1100\u1161", "あ", "ン", "ー", "क", "\u093F",
            "0", "1", "9", "½", "²", "٣", "𝟘", "'", "'s", "'ſa", "'LL", "’", ".", ",", "!", "-", "_", "$", "^", "{", "¿", "。", "“", " ", "  ", "\t", "\n", "\r\n", "\u00A0",
            "\u2003", "\u3000", "\u0085", "\u200B", "\u200D", "\uFEFF", "😀", "👍🏽", "𐐷", "𝒳", "\u0300", "\u0323", "ﬁ", "①", "Å", "▁", "\uFFFD", "\0", "<s>",
        ];
        StringBuilder text = new();
        while (text.Length < length)
            text.Append(alphabet[random.Next(alphabet.Length)]);
        return text.ToString();
    }

    private static (string Piece, int Start, int End) Place(AlignedText text, int start, int end)
    {
        (int from, int to) = text.OriginalRange(start, end);
        return (text.Text[start..end].ToString(), from, to);
    }

    private static string Comma(string extra) => extra.Length == 0 ? "" : "," + extra;
}
