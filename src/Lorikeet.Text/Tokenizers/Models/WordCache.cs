using System.Numerics;

namespace Lorikeet.Text;

/// <summary>
/// Remembers how recent words were cut. A fixed number of slots, each holding the word that came last: it never grows, needs no
/// lock (slots are replaced whole), and forgetting costs only time.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Longer words are rare enough to be cut anew.</summary>
    public const int MaximumLength = 32;

    private const int SlotBits = 15;
    private readonly CachedWord?[] _words = new CachedWord?[1 << SlotBits];

    /// <summary>The word's tokens, or null; <paramref name="slot"/> is where to <see cref="Keep"/> them.</summary>
    public CachedWord? Find(ReadOnlySpan<char> word, out int slot)
    {
        slot = SlotOf(word);
        CachedWord? found = Volatile.Read(ref _words[slot]);
        return found is not null && word.SequenceEqual(found.Word) ? found : null;
    }

    /// <summary>Remembers a word.</summary>
    public void Keep(int slot, CachedWord word) => Volatile.Write(ref _words[slot], word);

    private static int SlotOf(ReadOnlySpan<char> word)
    {
        uint hash = 2166136261;
        foreach (char c in word)
            hash = (BitOperations.RotateLeft(hash, 5) ^ c) * 0x9E3779B1;
        return (int)((hash * 0x85EBCA6B) >> (32 - SlotBits));
    }
}
