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
        if (IsUntouched(text.Text))
            return;
        ReadOnlySpan<char> rest = text.Text;
        List<(Rune Character, int Count)> changes = new(text.Length);
        Span<byte> utf8 = stackalloc byte[LongCluster];
        while (!rest.IsEmpty)
        {
            int length = StringInfo.GetNextTextElementLength(rest);
            ReadOnlySpan<char> cluster = rest[..length];
            rest = rest[length..];
            int bytes = Encoding.UTF8.GetByteCount(cluster);
            if (bytes < LongCluster && map.Shortest(utf8[..Encoding.UTF8.GetBytes(cluster, utf8)]) is { } replacement)
            {
                Replace(changes, replacement, CharactersOf(cluster));
                continue;
            }
            foreach (Rune rune in cluster.EnumerateRunes())
            {
                if (map.Shortest(utf8[..rune.EncodeToUtf8(utf8)]) is { } single)
                    Replace(changes, single, 1);
                else
                    changes.Add((rune, 0));
            }
        }
        TextRewriter rewriter = new(text);
        foreach ((Rune character, int count) in changes)
            rewriter.Write(character, count);
        rewriter.Finish();
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

    private bool IsUntouched(ReadOnlySpan<char> text)
    {
        char previous = '\0';
        foreach (char c in text)
        {
            if (!map.LeavesAlone(c) || (c == '\n' && previous == '\r'))
                return false;
            previous = c;
        }
        return true;
    }
}
