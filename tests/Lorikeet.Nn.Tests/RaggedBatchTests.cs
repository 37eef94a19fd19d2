namespace Lorikeet.Nn.Tests;

public class RaggedBatchTests
{
    [Fact]
    public void Sequences_stand_one_after_another_without_padding()
    {
        RaggedBatch batch = new();
        batch.Add([5, 6, 7]);
        batch.Add([8], firstPosition: 40, group: 0);
        batch.Add([]);
        batch.Add([9, 10], [0, 3]);
        (batch.Rows, batch.Sequences).ShouldBe((6, 4));
        batch.Ids.ToArray().ShouldBe([5, 6, 7, 8, 9, 10]);
        batch.Positions.ToArray().ShouldBe([0, 1, 2, 40, 0, 3]);
        Enumerable.Range(0, 5).Select(batch.Start).ShouldBe([0, 3, 4, 4, 6]);
        Enumerable.Range(0, 4).Select(batch.Length).ShouldBe([3, 1, 0, 2]);
        Enumerable.Range(0, 4).Select(batch.Group).ShouldBe([0, 0, 2, 3]);
    }

    [Fact]
    public void It_grows_and_starts_again_in_the_same_memory()
    {
        RaggedBatch batch = new();
        for (int round = 0; round < 2; round++)
        {
            batch.Clear();
            (batch.Rows, batch.Sequences).ShouldBe((0, 0));
            for (int i = 0; i < 100; i++)
                batch.Add([.. Enumerable.Range(0, i)], firstPosition: i);
            batch.Rows.ShouldBe(4950);
            batch.Start(99).ShouldBe(4851);
            batch.Ids[4851 + 98].ShouldBe(98);
            batch.Positions[4851].ShouldBe(99);
        }
        int[] ids = new int[4000];
        batch.Clear();
        long before = GC.GetAllocatedBytesForCurrentThread();
        batch.Add(ids);
        batch.Add(ids.AsSpan(0, 500), firstPosition: 7);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Positions_ascend_from_zero()
    {
        RaggedBatch batch = new();
        batch.Add([1, 2, 3], [0, 4, 4]);
        Should.Throw<ArgumentException>(() => batch.Add([1, 2], [3, 2])).Message.ShouldContain("position 2 of row 1 comes after 3");
        Should.Throw<ArgumentException>(() => batch.Add([1], [-1]));
        Should.Throw<ArgumentException>(() => batch.Add([1, 2], [0])).Message.ShouldBe("2 ids, 1 positions");
        Should.Throw<ArgumentOutOfRangeException>(() => batch.Add([1], firstPosition: -1));
        Should.Throw<ArgumentOutOfRangeException>(() => batch.Add([1, 2], firstPosition: int.MaxValue));
        (batch.Rows, batch.Sequences).ShouldBe((3, 1), "what was refused leaves nothing behind");
    }

    [Fact]
    public void Sequences_that_are_not_there_are_refused()
    {
        RaggedBatch batch = new();
        batch.Add([1]);
        batch.Add([1]);
        batch.Clear();
        batch.Add([1, 2]);
        Should.Throw<ArgumentOutOfRangeException>(() => batch.Start(2));
        Should.Throw<ArgumentOutOfRangeException>(() => batch.Length(1));
        Should.Throw<ArgumentOutOfRangeException>(() => batch.Group(1));
    }
}
