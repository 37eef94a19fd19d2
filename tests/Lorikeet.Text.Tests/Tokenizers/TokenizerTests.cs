namespace Lorikeet.Text.Tests;

public sealed class TokenizerTests
{
    private static Tokenizer Gpt2 { get; } = Tokenizer.Load(GoldenData.Path("tokenizers", "gpt2", "tokenizer.json"));

    [Fact]
    public void Tokens_and_numbers_are_looked_up_both_ways()
    {
        Gpt2.VocabularySize.ShouldBe(50257);
        Gpt2.IdOf("Ġhello").ShouldBe(23748);
        Gpt2.TokenOf(23748).ShouldBe("Ġhello");
        Gpt2.IdOf("<|endoftext|>").ShouldBe(50256);
        Gpt2.IdOf("no such token").ShouldBeNull();
        Gpt2.TokenOf(-1).ShouldBe("");
        Gpt2.TokenOf(50257).ShouldBe("");
        Gpt2.IsSpecial(50256).ShouldBeTrue();
        Gpt2.IsSpecial(0).ShouldBeFalse();
    }

    [Fact]
    public void An_empty_text_has_no_tokens_but_those_added()
    {
        Gpt2.Encode("").Count.ShouldBe(0);
        Gpt2.Decode([]).ShouldBe("");
        Tokenizer bert = Tokenizer.Load(GoldenData.Path("tokenizers", "bert-base-uncased", "vocab.txt"));
        bert.Encode("").Ids.ShouldBe([101, 102]);
        bert.Encode("").SpecialMask.ShouldBe([true, true]);
        bert.EncodeIds("hi").ShouldBe(bert.Encode("hi").Ids);
        bert.Encode("hi", addSpecial: false).Ids.ShouldBe([bert.IdOf("hi")!.Value]);
    }

    [Fact]
    public void Half_a_surrogate_pair_counts_as_the_replacement_character()
    {
        foreach (string text in (string[])["a\uD83D", "\uDE00b", "\uD83D\uD83D\uDE00"])
        {
            TokenizedText found = Gpt2.Encode(text);
            found.Ids.ShouldBe(Gpt2.Encode(string.Concat(text.EnumerateRunes())).Ids);
            found.Offsets[^1].End.ShouldBe(text.Length);
        }
        Tokenizer unigram = Tokenizer.Load(GoldenData.Path("tokenizers", "sentencepiece-unigram", "test_model.model"));
        unigram.Encode("a\uD83D").Offsets[^1].End.ShouldBe(2);
    }

    [Fact]
    public void Numbers_outside_the_vocabulary_decode_to_nothing() => Gpt2.Decode([-5, 23748, 1_000_000]).ShouldBe(" hello");

    [Fact]
    public void Offsets_cut_the_text_where_its_tokens_lie()
    {
        string text = "Naïve 😀 words,\n and   more";
        TokenizedText found = Gpt2.Encode(text);
        int covered = 0;
        foreach ((int start, int end) in found.Offsets)
        {
            start.ShouldBeLessThanOrEqualTo(covered);
            covered = Math.Max(covered, end);
        }
        covered.ShouldBe(text.Length);
        int words = Array.IndexOf(found.Tokens, "Ġwords");
        text[found.Offsets[words].Start..found.Offsets[words].End].ShouldBe(" words");
    }

    [Fact]
    public void Byte_level_text_comes_back_as_it_was()
    {
        Random random = new(21);
        for (int i = 0; i < 300; i++)
        {
            string text = TestTokenizers.RandomText(random, 1 + i % 80);
            int[] ids = Gpt2.EncodeIds(text);
            Gpt2.Decode(ids).ShouldBe(text);
            TokenStream stream = Gpt2.Stream();
            string.Concat([.. ids.Select(stream.Append), stream.Finish()]).ShouldBe(text);
        }
    }

    [Theory]
    [InlineData("gpt2/tokenizer.json")]
    [InlineData("bert-base-uncased/vocab.txt")]
    [InlineData("sentencepiece-unigram/test_model.model")]
    [InlineData("stories260K.model")]
    public void A_stream_gives_the_whole_text_for_any_tokens(string file)
    {
        Tokenizer tokenizer = Tokenizer.Load(GoldenData.Path(["tokenizers", .. file.Split('/')]));
        Random random = new(22);
        for (int i = 0; i < 300; i++)
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(-1, Math.Min(tokenizer.VocabularySize + 1, 700)))];
            foreach (bool skip in (bool[])[false, true])
            {
                TokenStream stream = tokenizer.Stream(skip);
                string[] parts = [.. ids.Select(stream.Append), stream.Finish()];
                string.Concat(parts).ShouldBe(tokenizer.Decode(ids, skip));
                parts.Where(p => p.Length > 0 && (char.IsLowSurrogate(p[0]) || char.IsHighSurrogate(p[^1]))).ShouldBeEmpty();
            }
        }
    }

    [Theory]
    [InlineData("gpt2/tokenizer.json")]
    [InlineData("sentencepiece-unigram/test_model.model")]
    public void One_tokenizer_serves_many_threads(string file)
    {
        string path = GoldenData.Path(["tokenizers", .. file.Split('/')]);
        Tokenizer shared = Tokenizer.Load(path);
        string[] texts = [.. Enumerable.Range(0, 400).Select(i => TestTokenizers.RandomText(new Random(i), 60))];
        Tokenizer alone = Tokenizer.Load(path);
        int[][] expected = [.. texts.Select(t => alone.EncodeIds(t))];
        int wrong = 0;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < texts.Length; i++)
                if (!shared.EncodeIds(texts[i]).SequenceEqual(expected[i]))
                    Interlocked.Increment(ref wrong);
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        wrong.ShouldBe(0);
    }

    [Fact]
    public void Windows_cover_a_text_and_repeat_the_stride()
    {
        Tokenizer bert = Tokenizer.Load(GoldenData.Path("tokenizers", "bert-base-uncased", "vocab.txt"));
        string text = string.Join(' ', Enumerable.Repeat("one two three", 5));
        IReadOnlyList<TokenizedText> windows = bert.EncodeWindows(text, 7, 2);
        windows.ShouldAllBe(w => w.Count <= 7 && w.Ids.First() == 101 && w.Ids.Last() == 102);
        windows[1].Offsets[1].ShouldBe(windows[0].Offsets[4]);
        windows.SelectMany((w, i) => w.Ids[1..^1].Skip(i == 0 ? 0 : 2)).ShouldBe(bert.EncodeIds(text, addSpecial: false));
        bert.EncodeWindows("", 7, 2).Count.ShouldBe(1);
        Should.Throw<ArgumentOutOfRangeException>(() => bert.EncodeWindows(text, 4, 2));
    }

    [Fact]
    public void Encoding_a_known_text_again_allocates_little_besides_its_result()
    {
        string text = string.Concat(Enumerable.Repeat("The quick brown fox jumps over the lazy dog. ", 100));
        int[] ids = Gpt2.EncodeIds(text);
        Gpt2.EncodeIds(text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Gpt2.EncodeIds(text);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(ids.Length * 4 + 4096);
    }
}
