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
            string left;
            string right;
            if (item.Kind == JsonValueKind.Array)
            {
                JsonField[] sides = [.. item.Items()];
                if (sides.Length != 2)
                {
                    item.Problem($"expected two tokens, found {sides.Length}");
                    continue;
                }
                left = sides[0].RequiredText();
                right = sides[1].RequiredText();
            }
            else if (!TrySplit(item.RequiredText(), out left, out right))
            {
                item.Problem($"expected two tokens with one blank between them, found {item.Describe()}");
                continue;
            }
            Add(table, vocabulary, rank++, left, right, prefix, item.Problem);
        }
        return table;
    }

    /// <summary>Reads merges written as lines, as in <c>merges.txt</c> and GGUF.</summary>
    public static MergeTable Read(IReadOnlyList<string> lines, Vocabulary vocabulary, Action<int, string> problem)
    {
        MergeTable table = new(lines.Count);
        for (int i = 0; i < lines.Count; i++)
        {
            int line = i;
            if (!TrySplit(lines[i], out string left, out string right))
                problem(line, $"expected two tokens with one blank between them, found \"{lines[i]}\"");
            else
                Add(table, vocabulary, i, left, right, "", what => problem(line, what));
        }
        return table;
    }

    private static bool TrySplit(string merge, out string left, out string right)
    {
        int blank = merge.IndexOf(' ', 1 <= merge.Length ? 1 : 0);
        bool found = blank > 0 && blank + 1 < merge.Length;
        left = found ? merge[..blank] : "";
        right = found ? merge[(blank + 1)..] : "";
        return found;
    }

    private static void Add(MergeTable table, Vocabulary vocabulary, int rank, string left, string right, string prefix, Action<string> problem)
    {
        int leftId = vocabulary.IdOf(left);
        int rightId = vocabulary.IdOf(right);
        if (leftId < 0 || rightId < 0)
        {
            problem($"the merge speaks of \"{(leftId < 0 ? left : right)}\", which is not in the vocabulary");
            return;
        }
        string merged = string.Concat(left, right.AsSpan(Math.Min(prefix.Length, right.Length)));
        int mergedId = vocabulary.IdOf(merged);
        if (mergedId < 0)
        {
            problem($"\"{left}\" and \"{right}\" merge into \"{merged}\", which is not in the vocabulary");
            return;
        }
        table.Set(leftId, rightId, rank, mergedId);
    }
}
