using System.Text.Json;

namespace Lorikeet.Text.Tests;

/// <summary>Pairs of texts, their truncation and overlapping windows equal the reference.</summary>
public sealed class GoldenPairTests
{
    [Theory]
    [InlineData("bert", "goldens/bert-base-uncased/vocab.txt")]
    [InlineData("roberta", "tok-roberta/tokenizer.json")]
    [InlineData("t5", "tok-t5-small/tokenizer.json")]
    public void Pairs_truncations_and_windows_equal_the_reference(string name, string file)
    {
        Tokenizer tokenizer = GoldenTexts.Tokenizer(file);
        JsonElement cases = JsonDocument.Parse(File.ReadAllBytes(GoldenTexts.Path("pairs.json"))).RootElement.GetProperty(name);
        foreach (JsonElement pair in cases.GetProperty("pairs").EnumerateArray())
        {
            string first = pair.GetProperty("first").GetString()!;
            string second = pair.GetProperty("second").GetString()!;
            TokenizedText found = tokenizer.EncodePair(first, second);
            found.Ids.ShouldBe(GoldenTexts.Numbers(pair.GetProperty("ids")));
            found.TypeIds.ShouldBe(GoldenTexts.Numbers(pair.GetProperty("type_ids")));
            OffsetsOf(found, first, second, name == "t5" ? 0 : 1).ShouldBe(GoldenTexts.Numbers(pair.GetProperty("offsets")));
            found.SpecialMask.Select(m => m ? 1 : 0).ShouldBe(GoldenTexts.Numbers(pair.GetProperty("special_mask")));
            foreach (JsonElement truncated in pair.GetProperty("truncated").EnumerateArray())
                CheckTruncation(tokenizer, first, second, truncated);
        }
        JsonElement overflow = cases.GetProperty("overflow");
        IReadOnlyList<TokenizedText> windows = tokenizer.EncodeWindows(
            overflow.GetProperty("text").GetString()!, overflow.GetProperty("max_length").GetInt32(), overflow.GetProperty("stride").GetInt32());
        windows.Select(w => string.Join(' ', w.Ids)).ShouldBe(overflow.GetProperty("ids").EnumerateArray().Select(w => string.Join(' ', GoldenTexts.Numbers(w))));
    }

    /// <summary>Offsets in code points, as the reference counts.</summary>
    private static List<int> OffsetsOf(TokenizedText found, string first, string second, int leadingSpecials)
    {
        List<int> offsets = [];
        int specials = 0;
        for (int i = 0; i < found.Count; i++)
        {
            specials += found.SpecialMask[i] ? 1 : 0;
            string text = specials > leadingSpecials ? second : first;
            offsets.Add(found.SpecialMask[i] ? 0 : text[..found.Offsets[i].Start].EnumerateRunes().Count());
            offsets.Add(found.SpecialMask[i] ? 0 : text[..found.Offsets[i].End].EnumerateRunes().Count());
        }
        return offsets;
    }

    private static void CheckTruncation(Tokenizer tokenizer, string first, string second, JsonElement expected)
    {
        TruncationStrategy strategy = Enum.Parse<TruncationStrategy>(expected.GetProperty("strategy").GetString()!.Replace("_", ""), ignoreCase: true);
        int length = expected.GetProperty("max_length").GetInt32();
        if (expected.TryGetProperty("error", out _))
        {
            Should.Throw<TokenizerException>(() => tokenizer.EncodePair(first, second, length, strategy));
            return;
        }
        TokenizedText found = tokenizer.EncodePair(first, second, length, strategy);
        found.Ids.ShouldBe(GoldenTexts.Numbers(expected.GetProperty("ids")));
        found.TypeIds.ShouldBe(GoldenTexts.Numbers(expected.GetProperty("type_ids")));
    }
}
