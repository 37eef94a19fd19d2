namespace Lorikeet.Text;

/// <summary>A word and its tokens, with their places in UTF-16 units of the word.</summary>
internal sealed record CachedWord(string Word, int[] Ids, (int Start, int End)[] Places);
