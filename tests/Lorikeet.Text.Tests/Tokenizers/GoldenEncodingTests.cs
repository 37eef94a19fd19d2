namespace Lorikeet.Text.Tests;

/// <summary>Everything equals what the reference programs gave for 310 texts.</summary>
public sealed class GoldenEncodingTests
{
    [Theory]
    [InlineData("gpt2", "goldens/gpt2/tokenizer.json")]
    [InlineData("roberta", "tok-roberta/tokenizer.json")]
    [InlineData("smollm2", "tok-smollm2/tokenizer.json")]
    [InlineData("qwen3", "tok-qwen3/tokenizer.json")]
    [InlineData("bert", "tok-bert-base-uncased/tokenizer.json")]
    [InlineData("t5", "tok-t5-small/tokenizer.json")]
    [InlineData("gpt2", "tok-gpt2/vocab.json")]
    [InlineData("roberta", "tok-roberta/vocab.json")]
    [InlineData("bert", "goldens/bert-base-uncased/vocab.txt")]
    [InlineData("mistral-v1", "tok-mistral/tokenizer.model.v1")]
    [InlineData("mistral-v2", "tok-mistral/mistral_instruct_tokenizer_240216.model.v2")]
    [InlineData("mistral-v3", "tok-mistral/mistral_instruct_tokenizer_240323.model.v3")]
    [InlineData("mistral-v7", "tok-mistral/mistral_instruct_tokenizer_241114.model.v7")]
    [InlineData("unigram-en", "goldens/sentencepiece-unigram/test_model.model")]
    [InlineData("unigram-ja", "goldens/sentencepiece-unigram/test_ja_model.model")]
    [InlineData("stories260K", "goldens/stories260K.model")]
    [InlineData("stories260K", "model-stories260K/tok512.bin")]
    public void Ids_tokens_offsets_and_decoded_text_equal_the_reference(string name, string file)
    {
        Tokenizer tokenizer = GoldenTexts.Tokenizer(file);
        List<string> differences = [];
        GoldenRow[] rows = [.. GoldenTexts.Rows(name + ".jsonl")];
        rows.Length.ShouldBeGreaterThanOrEqualTo(62);
        foreach (GoldenRow row in rows)
            differences.AddRange(Differences(tokenizer, row));
        differences.ShouldBeEmpty();
    }

    private static IEnumerable<string> Differences(Tokenizer tokenizer, GoldenRow row)
    {
        TokenizedText found = tokenizer.Encode(row.Text, addSpecial: false);
        string[] expectedTokens = row.Tokens ?? [.. row.Ids.Select(tokenizer.TokenOf)];
        if (!found.Ids.SequenceEqual(row.Ids))
            yield return $"{Show(row.Text)}: ids [{string.Join(' ', found.Ids)}], expected [{string.Join(' ', row.Ids)}]";
        else if (!found.Offsets.SequenceEqual(row.Offsets))
            yield return $"{Show(row.Text)}: offsets [{string.Join(' ', found.Offsets)}], expected [{string.Join(' ', row.Offsets)}]";
        else if (!found.Tokens.SequenceEqual(expectedTokens))
            yield return $"{Show(row.Text)}: tokens [{string.Join(' ', found.Tokens.Select(Show))}], expected [{string.Join(' ', expectedTokens.Select(Show))}]";
        if (!tokenizer.EncodeIds(row.Text, addSpecial: false).SequenceEqual(row.Ids))
            yield return $"{Show(row.Text)}: ids alone differ";
        if (tokenizer.Decode(row.Ids) is { } decoded && decoded != row.Decoded)
            yield return $"{Show(row.Text)}: decoded {Show(decoded)}, expected {Show(row.Decoded)}";
        if (tokenizer.Decode(row.Ids, skipSpecial: true) is { } skipped && skipped != row.DecodedWithoutSpecials)
            yield return $"{Show(row.Text)}: decoded without specials {Show(skipped)}, expected {Show(row.DecodedWithoutSpecials)}";
        foreach (string difference in StreamDifferences(tokenizer, row))
            yield return difference;
    }

    private static IEnumerable<string> StreamDifferences(Tokenizer tokenizer, GoldenRow row)
    {
        foreach (bool skipSpecial in (bool[])[false, true])
        {
            TokenStream stream = tokenizer.Stream(skipSpecial);
            string[] parts = [.. row.Ids.Select(stream.Append), stream.Finish()];
            string whole = skipSpecial ? row.DecodedWithoutSpecials : row.Decoded;
            if (string.Concat(parts) != whole)
                yield return $"{Show(row.Text)}: streamed {Show(string.Concat(parts))}, expected {Show(whole)}";
            if (parts.FirstOrDefault(p => p.Length > 0 && (char.IsLowSurrogate(p[0]) || char.IsHighSurrogate(p[^1]))) is { } half)
                yield return $"{Show(row.Text)}: streamed half a character in {Show(half)}";
            // the reference holds back a true U+FFFD as if it were an incomplete character
            if (!skipSpecial && row.Stream is { } expected && !whole.Contains('\uFFFD') && !parts[..^1].SequenceEqual(expected.Select(e => e ?? "")))
                yield return $"{Show(row.Text)}: streamed [{string.Join(' ', parts.Select(Show))}], expected [{string.Join(' ', expected.Select(e => Show(e ?? "")))}]";
        }
    }

    private static string Show(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
