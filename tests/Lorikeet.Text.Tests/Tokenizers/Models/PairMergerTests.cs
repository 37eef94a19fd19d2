namespace Lorikeet.Text.Tests;

public sealed class PairMergerTests
{
    [Fact]
    public void The_first_in_rank_merges_first_and_the_leftmost_of_equals()
    {
        MergeTable table = new(4);
        table.Set(1, 1, 5, 2);
        table.Set(2, 1, 0, 3);
        table.Set(2, 2, 1, 4);
        Merge(table, [1, 1, 1, 1, 1]).ShouldBe([3, 2]);
        Merge(table, [1, 1, 1, 1]).ShouldBe([3, 1]);
        Merge(table, [7]).ShouldBe([7]);
        Merge(table, []).ShouldBe([]);
    }

    [Fact]
    public void Long_and_short_texts_are_merged_alike()
    {
        Random random = new(8);
        for (int run = 0; run < 200; run++)
        {
            MergeTable table = new(40);
            Dictionary<(int, int), (int Rank, int Result)> merges = [];
            for (int m = 0; m < 40; m++)
            {
                int next = 6 + m;
                (int, int) pair = (random.Next(next), random.Next(next));
                merges[pair] = (m / 2, next);
                table.Set(pair.Item1, pair.Item2, m / 2, next);
            }
            int[] symbols = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => random.Next(6))];
            Merge(table, symbols).ShouldBe(MergePlainly(merges, symbols));
        }
    }

    private static int[] Merge(MergeTable table, int[] symbols)
    {
        int[] ids = [.. symbols];
        int[] lengths = [.. symbols.Select(_ => 1)];
        int count = PairMerger.Merge(table, ids, lengths);
        lengths[..count].Sum().ShouldBe(symbols.Length);
        return ids[..count];
    }

    private static List<int> MergePlainly(Dictionary<(int, int), (int Rank, int Result)> merges, int[] symbols)
    {
        List<int> ids = [.. symbols];
        while (true)
        {
            int best = -1;
            for (int i = 0; i + 1 < ids.Count; i++)
                if (merges.TryGetValue((ids[i], ids[i + 1]), out (int Rank, int Result) merge) && (best < 0 || merge.Rank < merges[(ids[best], ids[best + 1])].Rank))
                    best = i;
            if (best < 0)
                return ids;
            ids[best] = merges[(ids[best], ids[best + 1])].Result;
            ids.RemoveAt(best + 1);
        }
    }
}
