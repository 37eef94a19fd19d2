using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// <c>Precompiled</c>: a SentencePiece character map as <c>tokenizer.json</c> applies it, which is not quite how SentencePiece does: a short
/// grapheme cluster is replaced whole by what its shortest known prefix maps to, otherwise its characters one by one.
/// </summary>
internal sealed class PrecompiledNormalizer(CharacterMap map) : Normalizer
{
    /// <summary>Grapheme clusters of this many bytes and more are taken apart.</summary>
    private const int LongCluster = 6;

    public override void Apply(AlignedText text)
    {
        ReadOnlySpan<char> all = text.Text;
        int plain = EndOfPlain(all, 0);
        if (plain == all.Length)
            return;
        TextRewriter rewriter = new(text);
        List<(Rune Character, int Count)> changes = [];
        for (int at = 0; at < all.Length; plain = EndOfPlain(all, at))
        {
            // the last plain character stays in the list: a replacement by nothing is credited to it
            if (plain - at > 1)
            {
                Write(rewriter, changes);
                rewriter.CopyTo(plain - 1);
                at = plain - 1;
            }
            if (plain > at)
            {
                changes.Add((new Rune(all[at]), 0));
                at++;
                continue;
            }
            at += AddCluster(all[at..], changes);
        }
        Write(rewriter, changes);
        rewriter.Finish();
    }

    private static void Write(TextRewriter rewriter, List<(Rune Character, int Count)> changes)
    {
        foreach ((Rune character, int count) in changes)
            rewriter.Write(character, count);
        changes.Clear();
    }

    /// <summary>Adds what the first grapheme cluster of a text becomes; answers its length.</summary>
    private int AddCluster(ReadOnlySpan<char> text, List<(Rune Character, int Count)> changes)
    {
        Span<byte> utf8 = stackalloc byte[LongCluster];
        int length = StringInfo.GetNextTextElementLength(text);
        ReadOnlySpan<char> cluster = text[..length];
        int bytes = Encoding.UTF8.GetByteCount(cluster);
        if (bytes < LongCluster && map.Shortest(utf8[..Encoding.UTF8.GetBytes(cluster, utf8)]) is { } replacement)
        {
            Replace(changes, replacement, CharactersOf(cluster));
            return length;
        }
        foreach (Rune rune in cluster.EnumerateRunes())
        {
            if (map.Shortest(utf8[..rune.EncodeToUtf8(utf8)]) is { } single)
                Replace(changes, single, 1);
            else
                changes.Add((rune, 0));
        }
        return length;
    }

    /// <summary>Characters take the places of those replaced one for one; surplus ones are inserted, missing ones swallowed by the last.</summary>
    private static void Replace(List<(Rune Character, int Count)> changes, string replacement, int replaced)
    {
        int index = 0;
        foreach (Rune rune in replacement.EnumerateRunes())
            changes.Add((rune, index++ < replaced ? 0 : 1));
        if (index < replaced && changes.Count > 0)
            changes[^1] = (changes[^1].Character, changes[^1].Count + index - replaced);
    }

    private static int CharactersOf(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (Rune _ in text.EnumerateRunes())
            count++;
        return count;
    }

    /// <summary>Where a run of characters ends that the map leaves alone and that are grapheme clusters by themselves.</summary>
    private int EndOfPlain(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && map.LeavesAlone(text[at]) && (at + 1 == text.Length || (text[at + 1] < 128 && text[at] != '\r')))
            at++;
        return at;
    }
}
