using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>Turns lists of merges into a <see cref="MergeTable"/>.</summary>
internal static class MergeReader
{
    /// <summary>Reads merges written as pairs or as text with a blank between the two sides.</summary>
    /// <param name="list">The list in the file.</param>
    /// <param name="vocabulary">The tokens that the merges speak of.</param>
    /// <param name="prefix">What the second side starts with and the result leaves out (<c>continuing_subword_prefix</c>).</param>
    public static MergeTable Read(JsonField list, Vocabulary vocabulary, string prefix)
    {
        MergeTable table = new(list.Kind == JsonValueKind.Array ? list.Element.GetArrayLength() : 0);
        int rank = 0;
        foreach (JsonField item in list.Items())
        {
            string? problem;
            if (item.Kind == JsonValueKind.Array)
            {
                JsonField[] sides = [.. item.Items()];
                problem = sides.Length == 2
                    ? Add(table, vocabulary, rank, sides[0].RequiredText(), sides[1].RequiredText(), prefix.Length)
                    : $"expected two tokens, found {sides.Length}";
            }
            else
                problem = Add(table, vocabulary, rank, item.RequiredText(), prefix.Length);
            if (problem is not null)
                item.Problem(problem);
            rank++;
        }
        return table;
    }

    /// <summary>Reads merges written as lines, as in <c>merges.txt</c> and GGUF.</summary>
    public static MergeTable Read(IReadOnlyList<string> lines, Vocabulary vocabulary, Action<int, string> problem)
    {
        MergeTable table = new(lines.Count);
        for (int i = 0; i < lines.Count; i++)
            if (Add(table, vocabulary, i, lines[i], 0) is { } what)
                problem(i, what);
        return table;
    }

    private static string? Add(MergeTable table, Vocabulary vocabulary, int rank, string merge, int prefixLength)
    {
        int blank = merge.Length > 1 ? merge.IndexOf(' ', 1) : -1;
        return blank > 0 && blank + 1 < merge.Length
            ? Add(table, vocabulary, rank, merge.AsSpan(0, blank), merge.AsSpan(blank + 1), prefixLength)
            : $"expected two tokens with one blank between them, found \"{merge}\"";
    }

    /// <summary>Adds a merge; answers what is wrong with it.</summary>
    private static string? Add(MergeTable table, Vocabulary vocabulary, int rank, ReadOnlySpan<char> left, ReadOnlySpan<char> right, int prefixLength)
    {
        int leftId = vocabulary.IdOf(left);
        int rightId = vocabulary.IdOf(right);
        if (leftId < 0 || rightId < 0)
            return $"the merge speaks of \"{(leftId < 0 ? left : right)}\", which is not in the vocabulary";
        right = right[Math.Min(prefixLength, right.Length)..];
        int length = left.Length + right.Length;
        Span<char> merged = length <= 256 ? stackalloc char[length] : new char[length];
        left.CopyTo(merged);
        right.CopyTo(merged[left.Length..]);
        int mergedId = vocabulary.IdOf(merged);
        if (mergedId < 0)
            return $"\"{left}\" and \"{right}\" merge into \"{merged}\", which is not in the vocabulary";
        table.Set(leftId, rightId, rank, mergedId);
        return null;
    }
}
