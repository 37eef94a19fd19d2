namespace Lorikeet.Text.Tests;

public sealed class SentencePieceTests
{
    [Fact]
    public void Pieces_that_score_highest_merge_first()
    {
        Tokenizer tokenizer = Make([Piece("▁", -1), Piece("a", -2), Piece("b", -3), Piece("ab", -5), Piece("▁a", -4), Piece("bb", -6)]);
        Show(tokenizer, "ab").ShouldBe("▁a@0-1 b@1-2");
        Show(tokenizer, "bab").ShouldBe("▁@0-0 b@0-1 ab@1-3");
    }

    [Fact]
    public void Characters_that_are_no_piece_themselves_still_merge_into_one()
    {
        Tokenizer tokenizer = Make([Piece("▁", -1), Piece("a", -2), Piece("aé", -3)]);
        Show(tokenizer, "aé").ShouldBe("▁@0-0 aé@0-2");
        Show(tokenizer, "é").ShouldBe("▁@0-0 é@0-1");
        tokenizer.Encode("éé", addSpecial: false).Tokens.ShouldBe(["▁", "éé"]);
    }

    [Fact]
    public void User_defined_pieces_are_never_cut_nor_merged()
    {
        Tokenizer tokenizer = Make([Piece("▁", -1), Piece("a", -2), Piece("b", -3), Piece("ab", -4), Piece("<x>", 0, PieceType.UserDefined), Piece("ba", -5)]);
        Show(tokenizer, "ab<x>ba").ShouldBe("▁@0-0 ab@0-2 <x>@2-5 ba@5-7");
        Make([Piece("▁", -1), Piece("a", -2), Piece("b", -3), Piece("ab", 0, PieceType.UserDefined), Piece("abb", -4)])
            .Encode("abb", addSpecial: false).Tokens.ShouldBe(["▁", "ab", "b"]);
    }

    [Fact]
    public void Unused_pieces_help_to_merge_and_fall_apart_again()
    {
        Tokenizer tokenizer = Make([Piece("▁", -1), Piece("a", -2), Piece("b", -3), Piece("c", -3), Piece("ab", -4, PieceType.Unused), Piece("abc", -6), Piece("bc", -5)]);
        Show(tokenizer, "abc").ShouldBe("▁@0-0 abc@0-3");
        Show(tokenizer, "ab").ShouldBe("▁@0-0 a@0-1 b@1-2");
        // the part that fell apart does not merge anew
        Make([Piece("▁", -1), Piece("a", -2), Piece("b", -3), Piece("c", -3), Piece("ab", -4, PieceType.Unused), Piece("abc", -6, PieceType.Unused), Piece("bc", -5)])
            .Encode("abc", addSpecial: false).Tokens.ShouldBe(["▁", "a", "b", "c"]);
    }

    [Fact]
    public void Blanks_are_kept_or_collapsed_and_may_end_words()
    {
        SentencePiece[] pieces = [Piece("▁", -1), Piece("a", -2), Piece("b", -3)];
        Show(Make(pieces), " a  b ").ShouldBe("▁@0-0 ▁@0-1 a@1-2 ▁@2-3 ▁@3-4 b@4-5 ▁@5-6");
        Show(Make(pieces, m => m with { RemoveExtraWhitespaces = true }), " a  b ").ShouldBe("▁@1-1 a@1-2 ▁@2-4 b@4-5");
        Show(Make(pieces, m => m with { RemoveExtraWhitespaces = true }), "   ").ShouldBe("");
        Show(Make(pieces, m => m with { AddDummyPrefix = false }), "a b").ShouldBe("a@0-1 ▁@1-2 b@2-3");
        Show(Make(pieces, m => m with { WhitespaceAsSuffix = true }), "a b").ShouldBe("a@0-1 ▁@1-2 b@2-3 ▁@3-3");
    }

    [Fact]
    public void Unknown_characters_are_spelled_by_bytes_and_come_back()
    {
        SentencePiece[] bytes = [.. Enumerable.Range(0, 256).Select(b => Piece($"<0x{b:X2}>", 0, PieceType.Byte))];
        Tokenizer tokenizer = Make([Piece("▁", -1), Piece("a", -2), .. bytes], m => m with { ByteFallback = true });
        Show(tokenizer, "aé").ShouldBe("▁@0-0 a@0-1 <0xC3>@1-1 <0xA9>@1-2");
        int[] ids = tokenizer.EncodeIds("a😀é");
        tokenizer.Decode(ids, skipSpecial: true).ShouldBe("a😀é");
        tokenizer.Decode([.. ids[..^1], tokenizer.IdOf("a")!.Value], skipSpecial: true).ShouldBe("a😀\uFFFDa");
        tokenizer.Decode([tokenizer.IdOf("<0xF0>")!.Value, tokenizer.IdOf("<0x9F>")!.Value]).ShouldBe("\uFFFD\uFFFD");
    }

    [Fact]
    public void Control_pieces_are_never_found_in_a_text_and_can_be_left_out()
    {
        Tokenizer tokenizer = Make([Piece("▁", -1), Piece("s", -2), Piece("<", -2), Piece(">", -2)]);
        tokenizer.Encode("<s>").Tokens.ShouldBe(["<s>", "▁", "<", "s", ">"]);
        tokenizer.Decode([1, 3, 4, 2]).ShouldBe("<s> s</s>");
        tokenizer.Decode([1, 3, 4, 2], skipSpecial: true).ShouldBe("s");
        tokenizer.IsSpecial(1).ShouldBeTrue();
        tokenizer.BosId.ShouldBe(1);
        tokenizer.EosToken.ShouldBe("</s>");
    }

    [Fact]
    public void Cutting_where_no_piece_crosses_changes_nothing()
    {
        SentencePiece[] pieces = [.. ((string[])["▁", "a", "b", "c", ",", "ab", "▁a", "▁ab", "bc", "▁▁", "cc", "abc"]).Select((t, i) => Piece(t, -i))];
        Tokenizer cutting = Make(pieces);
        // never merged, as it is only normal in name, but all characters stand side by side in it
        string all = string.Concat("▁abc,".SelectMany(a => "▁abc,".Select(b => $"{a}{b}")));
        Tokenizer whole = Make([.. pieces, Piece(all, -100)]);
        Random random = new(6);
        for (int i = 0; i < 500; i++)
        {
            string text = string.Concat(Enumerable.Range(0, 1 + i % 60).Select(_ => " abc,"[random.Next(5)]));
            Show(cutting, text).ShouldBe(Show(whole, text));
        }
    }

    private static SentencePiece Piece(string text, float score, PieceType type = PieceType.Normal) => new(text, score, type);

    private static Tokenizer Make(SentencePiece[] pieces, Func<SentencePieceModel, SentencePieceModel>? change = null)
    {
        SentencePieceModel model = new()
        {
            Pieces = [Piece("<unk>", 0, PieceType.Unknown), Piece("<s>", 0, PieceType.Control), Piece("</s>", 0, PieceType.Control), .. pieces],
            RemoveExtraWhitespaces = false,
            UnknownId = 0,
            BosId = 1,
            EosId = 2,
        };
        return SentencePieceTokenizer.Alone(change is null ? model : change(model));
    }

    private static string Show(Tokenizer tokenizer, string text)
    {
        TokenizedText found = tokenizer.Encode(text, addSpecial: false);
        return string.Join(' ', found.Tokens.Select((t, i) => $"{t}@{found.Offsets[i].Start}-{found.Offsets[i].End}"));
    }
}
