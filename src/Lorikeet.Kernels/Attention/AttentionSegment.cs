namespace Lorikeet.Kernels;

/// <summary>
/// Query rows that share their keys with no other query rows: usually the documents of a ragged batch. Their derivatives are independent.
/// </summary>
internal unsafe struct AttentionSegment
{
    /// <summary>First query row.</summary>
    public int Query;
    /// <summary>Query rows.</summary>
    public int Queries;
    /// <summary>First key row that any of them sees.</summary>
    public int Key;
    /// <summary>Key rows from there to the last that any of them sees.</summary>
    public int Keys;
    /// <summary>Key blocks of the segments before.</summary>
    public int FirstKeyBlock;
    /// <summary>Query blocks of the segments before.</summary>
    public int FirstQueryBlock;

    /// <summary>
    /// Finds the segments in order of their rows. A segment ends where all rows after it see only keys behind those that the rows before it see.
    /// Needs room for as many segments as there are queries and, in <paramref name="leastAfter"/>, one more numbers than queries.
    /// </summary>
    public static int Find(in AttentionCall call, int blockQueries, int blockKeys, AttentionSegment* segments, int* leastAfter, out int queryBlocks, out int keyBlocks)
    {
        leastAfter[call.Queries] = int.MaxValue;
        for (int i = call.Queries - 1; i >= 0; i--)
            leastAfter[i] = call.First[i] < call.Last[i] ? Math.Min(call.First[i], leastAfter[i + 1]) : leastAfter[i + 1];
        int count = 0;
        (queryBlocks, keyBlocks) = (0, 0);
        for (int start = 0; start < call.Queries;)
        {
            int low = int.MaxValue, high = 0, end = start;
            do
            {
                if (call.First[end] < call.Last[end])
                {
                    low = Math.Min(low, call.First[end]);
                    high = Math.Max(high, call.Last[end]);
                }
                end++;
            }
            while (end < call.Queries && (high == 0 || leastAfter[end] < high));
            if (high > 0)
            {
                AttentionSegment segment = new()
                {
                    Query = start, Queries = end - start, Key = low, Keys = high - low, FirstKeyBlock = keyBlocks, FirstQueryBlock = queryBlocks,
                };
                segments[count++] = segment;
                keyBlocks += (segment.Keys + blockKeys - 1) / blockKeys;
                queryBlocks += (segment.Queries + blockQueries - 1) / blockQueries;
            }
            start = end;
        }
        return count;
    }
}
