namespace Lorikeet.Text.Tests;

public sealed class DecoderTests
{
    private const string Llama =
        """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}""";

    [Fact]
    public void Byte_level_gives_out_characters_when_they_are_complete()
    {
        (string whole, string[] parts) = TestTokenizers.Decoded("""{"type":"ByteLevel"}""", "Ã", "©Ġ", "ðŁĺ", "Ģ", "ÿ", "a");
        whole.ShouldBe("é 😀\uFFFDa");
        parts.ShouldBe(["", "é ", "", "😀", "\uFFFD", "a", ""]);
        TestTokenizers.Decoded("""{"type":"ByteLevel"}""", "aðŁ").ShouldSatisfyAllConditions(d => d.Whole.ShouldBe("a\uFFFD"), d => d.Parts.ShouldBe(["a", "\uFFFD"]));
        TestTokenizers.Decoded("""{"type":"ByteLevel"}""", "日本").Whole.ShouldBe("日本");
    }

    [Fact]
    public void Llama_drops_the_first_blank_and_spells_bytes()
    {
        (string whole, string[] parts) = TestTokenizers.Decoded(Llama, "▁", "▁Hey", "<0xE2>", "<0x82>", "<0xAC>", "▁you");
        whole.ShouldBe(" Hey€ you");
        parts.ShouldBe(["", " Hey", "", "", "", "€ you", ""]);
        TestTokenizers.Decoded(Llama, "▁a", "<0xFF>", "<0xC3>").Whole.ShouldBe("a\uFFFD\uFFFD");
        TestTokenizers.Decoded(Llama).Whole.ShouldBe("");
    }

    [Fact]
    public void Word_pieces_join_and_punctuation_moves_back()
    {
        TestTokenizers.Decoded("""{"type":"WordPiece","prefix":"##","cleanup":true}""", "un", "##able", "!", "do not").Whole.ShouldBe("unable! don't");
        TestTokenizers.Decoded("""{"type":"WordPiece","prefix":"##","cleanup":false}""", "a", ".").Whole.ShouldBe("a .");
        TestTokenizers.Decoded("""{"type":"WordPiece"}""", "##a", "b").Whole.ShouldBe("##a b");
    }

    [Fact]
    public void Metaspace_drops_the_blanks_of_the_first_token_unless_none_was_added()
    {
        TestTokenizers.Decoded("""{"type":"Metaspace","replacement":"▁"}""", "▁Hey", "▁you").Whole.ShouldBe("Hey you");
        TestTokenizers.Decoded("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"}""", "▁Hey", "▁you").Whole.ShouldBe(" Hey you");
    }

    [Fact]
    public void Word_suffixes_become_blanks_but_at_the_end() =>
        TestTokenizers.Decoded("""{"type":"BPEDecoder","suffix":"</w>"}""", "un", "able</w>", "yes</w>").ShouldSatisfyAllConditions(
            d => d.Whole.ShouldBe("unable yes"), d => d.Parts.ShouldBe(["un", "", "able ", "yes"]));

    [Fact]
    public void Ctc_drops_repetitions_and_padding() =>
        TestTokenizers.Decoded("""{"type":"CTC"}""", "<pad>", "h", "h", "e", "l", "l", "<pad>", "l", "o", "o", "|", "y").Whole.ShouldBe("hello y");

    [Fact]
    public void Strip_and_replace_work_on_each_token_or_on_the_fused_text()
    {
        TestTokenizers.Decoded("""{"type":"Strip","content":"_","start":1,"stop":1}""", "__a__", "_b_").Whole.ShouldBe("_a_b");
        (string whole, string[] parts) = TestTokenizers.Decoded(
            """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":"_","start":0,"stop":2}]}""", "a_", "_b_", "_", "_");
        whole.ShouldBe("a__b_");
        string.Concat(parts).ShouldBe(whole);
        TestTokenizers.Decoded("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"ab"},"content":"x"}]}""", "a", "b", "a").Whole.ShouldBe("xa");
        TestTokenizers.Decoded("""{"type":"Replace","pattern":{"Regex":"[0-9]+"},"content":"#"}""", "a12", "3b").Whole.ShouldBe("a##b");
    }

    [Fact]
    public void Without_a_decoder_tokens_are_joined_by_blanks() =>
        TestTokenizers.Words(["a", "b"], "\"pre_tokenizer\":{\"type\":\"Whitespace\"}").Decode([1, 2, 0]).ShouldBe("a b ?");
}
