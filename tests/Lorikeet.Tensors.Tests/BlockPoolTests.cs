using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed unsafe class BlockPoolTests : IDisposable
{
    private readonly BlockPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Blocks_are_large_enough_aligned_and_apart()
    {
        Random random = new(1);
        List<(Block Block, long Bytes)> rented = [];
        for (int i = 0; i < 3000; i++)
        {
            if (rented.Count > 0 && random.Next(5) < 2)
            {
                int at = random.Next(rented.Count);
                Check(rented[at].Block, rented[at].Bytes);
                _pool.Return(rented[at].Block);
                rented.RemoveAt(at);
                continue;
            }
            long bytes = (long)Math.Pow(2, random.NextDouble() * 18);
            Block block = _pool.Rent(bytes);
            ((nuint)block.Pointer % 64).ShouldBe<nuint>(0);
            block.Bytes.ShouldBeGreaterThanOrEqualTo(bytes);
            block.Bytes.ShouldBeLessThan(bytes + bytes / 16 + 5 * 64);
            // whoever overlaps overwrites
            new Span<byte>(block.Pointer, (int)bytes).Fill((byte)bytes);
            rented.Add((block, bytes));
        }
        _pool.UsedBytes.ShouldBe(rented.Sum(item => item.Block.Bytes));
        foreach ((Block block, long bytes) in rented)
        {
            Check(block, bytes);
            _pool.Return(block);
        }
        _pool.UsedBytes.ShouldBe(0);
        _pool.Trim();
        _pool.HeldBytes.ShouldBe(0);

        static void Check(Block block, long bytes) => new ReadOnlySpan<byte>(block.Pointer, (int)bytes).ContainsAnyExcept((byte)bytes).ShouldBeFalse();
    }

    [Fact]
    public void Free_neighbours_join_to_serve_something_larger()
    {
        Block[] blocks = [.. Enumerable.Range(0, 16).Select(_ => _pool.Rent(1 << 16))];
        long held = _pool.HeldBytes;
        foreach (int i in new[] { 3, 1, 2, 8, 0, 15, 7, 9, 4, 6, 5, 12, 14, 13, 10, 11 })
            _pool.Return(blocks[i]);
        Block all = _pool.Rent(1 << 20);
        _pool.HeldBytes.ShouldBe(held);
        _pool.Return(all);
    }

    [Fact]
    public void A_block_is_free_when_its_last_user_leaves()
    {
        Block block = _pool.Rent(100);
        block.Users++;
        _pool.Return(block);
        _pool.UsedBytes.ShouldBe(block.Bytes);
        _pool.Return(block);
        _pool.UsedBytes.ShouldBe(0);
    }

    [Fact]
    public void Only_segments_without_a_user_go_back_to_the_system()
    {
        Block small = _pool.Rent(64), large = _pool.Rent(8 << 20);
        _pool.Return(large);
        _pool.Trim();
        _pool.HeldBytes.ShouldBeGreaterThan(0);
        _pool.Return(small);
        _pool.Trim();
        _pool.HeldBytes.ShouldBe(0);
        _pool.PeakBytes.ShouldBeGreaterThan(8 << 20);
    }

    [Fact]
    public void Steps_of_growing_length_hold_little_more_than_the_longest_uses()
    {
        Assert.SkipUnless(LargeMemory.IsLazy, "this system gives whole segments at once");
        for (int length = 40; length <= 60; length++)
        {
            // a layer's rows one after another, then all of a vocabulary's logits at once
            List<Block> blocks = [.. Enumerable.Range(0, 30).Select(_ => _pool.Rent(length * 10_000L)), _pool.Rent(length * 600_000L)];
            foreach (Block block in blocks)
                _pool.Return(block);
        }
        _pool.HeldBytes.ShouldBeLessThan(_pool.PeakBytes * 11 / 10);
    }

    [Fact]
    public void Equal_steps_find_equal_memory_and_allocate_nothing()
    {
        Random random = new(2);
        (int Bytes, int Returned)[] plan = [.. Enumerable.Range(0, 400).Select(i => (random.Next(1, 300_000), random.Next(i + 1)))];
        Block[] blocks = new Block[plan.Length];
        nint[] Step()
        {
            nint[] places = new nint[plan.Length];
            for (int i = 0; i < plan.Length; i++)
            {
                blocks[i] = _pool.Rent(plan[i].Bytes);
                places[i] = (nint)blocks[i].Pointer;
                if (blocks[plan[i].Returned].Users > 0)
                    _pool.Return(blocks[plan[i].Returned]);
            }
            foreach (Block block in blocks)
            {
                if (block.Users > 0)
                    _pool.Return(block);
            }
            return places;
        }
        Step();
        nint[] second = Step();
        long held = _pool.HeldBytes, before = GC.GetAllocatedBytesForCurrentThread();
        nint[] third = Step();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(8 * plan.Length + 100, "the list of places itself");
        third.ShouldBe(second);
        _pool.HeldBytes.ShouldBe(held);
    }
}
