namespace Lorikeet.Formats;

/// <summary>What somebody may have meant by a name that is not known.</summary>
public static class NearestName
{
    /// <summary>The name among <paramref name="known"/> that is nearest to <paramref name="found"/>, or null when none is near.</summary>
    /// <param name="found">What was written.</param>
    /// <param name="known">The names that there are, in lower case.</param>
    public static string? Of(string found, IEnumerable<string> known)
    {
        string? best = null;
        int least = Math.Max(1, found.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = Distance(found.ToLowerInvariant(), candidate);
            if (distance < least)
            {
                least = distance;
                best = candidate;
            }
        }
        return best;
    }

    // edits between two words: insert, delete, replace, swap neighbours
    private static int Distance(string a, string b)
    {
        int[,] cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }
                int replace = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replace, 1 + Math.Min(cost[i - 1, j], cost[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }
}
