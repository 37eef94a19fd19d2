using System.Text;

namespace Lorikeet.Text;

/// <summary><c>NFD</c>, <c>NFKD</c>, <c>NFC</c> and <c>NFKC</c> (Unicode Standard Annex 15), keeping the alignment.</summary>
internal sealed class UnicodeFormNormalizer(bool compose, bool compatible) : Normalizer
{
    public override void Apply(AlignedText text)
    {
        NormalizationTables tables = NormalizationTables.Instance;
        if (tables.NextTouched(text.Text, 0, compose, compatible) == text.Length)
            return;
        ReadOnlySpan<char> all = text.Text;
        TextRewriter rewriter = new(text);
        for (int at = 0; at < all.Length;)
        {
            int touched = tables.NextTouched(all, at, compose, compatible);
            // the character before may compose with it
            int start = touched > at ? touched - CharacterLengthBefore(all, touched) : at;
            start = Math.Max(start, at);
            rewriter.CopyTo(start);
            at = tables.NextUntouched(all, touched, compose, compatible);
            List<Change> changes = Decompose(tables, all[start..at]);
            if (compose)
                Compose(tables, changes);
            foreach (Change change in changes)
                rewriter.Write(new Rune(change.Character), change.Count);
        }
        rewriter.Finish();
    }

    private static int CharacterLengthBefore(ReadOnlySpan<char> text, int index) =>
        index > 1 && char.IsLowSurrogate(text[index - 1]) && char.IsHighSurrogate(text[index - 2]) ? 2 : 1;

    private List<Change> Decompose(NormalizationTables tables, ReadOnlySpan<char> text)
    {
        List<Change> changes = new(text.Length + 16);
        int runStart = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Hangul.IsSyllable(rune.Value))
            {
                (int lead, int vowel, int trail) = Hangul.Decompose(rune.Value);
                Push(lead, 0);
                Push(vowel, 1);
                if (trail != 0)
                    Push(trail, 1);
                continue;
            }
            int[]? decomposition = tables.Decompose(rune.Value, compatible);
            if (decomposition is null)
            {
                Push(rune.Value, 0);
                continue;
            }
            for (int i = 0; i < decomposition.Length; i++)
                Push(decomposition[i], i == 0 ? 0 : 1);
        }
        SortRun();
        return changes;

        void Push(int character, int count)
        {
            byte combiningClass = tables.ClassOf(character);
            if (combiningClass == 0)
            {
                SortRun();
                runStart = changes.Count + 1;
            }
            changes.Add(new(character, combiningClass, count));
        }

        // stable, by class: marks of one class keep their order
        void SortRun()
        {
            int count = changes.Count - runStart;
            if (count < 2)
                return;
            Change[] sorted = [.. changes.Skip(runStart).OrderBy(c => c.Class)];
            for (int i = 0; i < count; i++)
                changes[runStart + i] = sorted[i];
        }
    }

    private static void Compose(NormalizationTables tables, List<Change> changes)
    {
        int starter = -1;
        int lastClass = 0;
        int kept = 0;
        foreach (Change change in changes.ToArray())
        {
            bool adjacent = kept == starter + 1;
            bool blocked = starter < 0 || (!adjacent && lastClass >= change.Class);
            if (!blocked && tables.Compose(changes[starter].Character, change.Character) is >= 0 and int composed)
            {
                changes[starter] = new(composed, 0, changes[starter].Count + change.Count - 1);
                continue;
            }
            if (change.Class == 0)
                starter = kept;
            lastClass = change.Class;
            changes[kept++] = change;
        }
        changes.RemoveRange(kept, changes.Count - kept);
    }

    /// <summary>A character of the new text; the count says what it replaces, as <see cref="TextRewriter"/> takes it.</summary>
    private readonly record struct Change(int Character, byte Class, int Count);
}
