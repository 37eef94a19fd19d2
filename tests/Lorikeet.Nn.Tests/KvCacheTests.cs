using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

public class KvCacheTests
{
    [Fact]
    public void Rows_count_once_every_layer_has_them()
    {
        KvCache cache = new(2, 3, 2, capacity: 4);
        Tensor k = Counted(5, 3), v = Counted(5, 2);
        cache.Append(0, k, v, 1, 2);
        cache.Length.ShouldBe(0);
        cache.Append(1, k, v, 2, 2);
        cache.Advance(2);
        cache.Append(0, k, v, 4, 1);
        cache.Append(1, k, v, 0, 1);
        cache.Advance(1);
        cache.Length.ShouldBe(3);
        Rows(cache.Keys(0), 3).ShouldBe([3, 4, 5, 6, 7, 8, 12, 13, 14]);
        Rows(cache.Keys(1), 3).ShouldBe([6, 7, 8, 9, 10, 11, 0, 1, 2]);
        Rows(cache.Values(0), 3).ShouldBe([2, 3, 4, 5, 8, 9]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void It_grows_and_keeps_what_it_holds(int capacity)
    {
        KvCache cache = new(1, 3, 3, capacity);
        Tensor k = Counted(40, 3), v = Counted(40, 3);
        for (int at = 0, count = 1; at + count <= 40; at += count, count++)
        {
            cache.Append(0, k, v, at, count);
            cache.Advance(count);
            Rows(cache.Keys(0), cache.Length).ShouldBe(k.Values[..(cache.Length * 3)].ToArray());
            Rows(cache.Values(0), cache.Length).ShouldBe(v.Values[..(cache.Length * 3)].ToArray());
        }
        cache.Length.ShouldBe(36);
    }

    [Fact]
    public void A_learned_prefix_stands_before_the_first_tokens_also_where_the_cache_grows()
    {
        KvCache cache = new(2, 2, 2, capacity: 3);
        Tensor prefix = Counted(3, 2), k = Counted(10, 2);
        for (int layer = 0; layer < 2; layer++)
        {
            cache.WritePrefix(layer, prefix, prefix);
            cache.End.ShouldBe(3);
            cache.Append(layer, k, k, 5, 2);
        }
        cache.Advance(2);
        (cache.Length, cache.Prefix, cache.End).ShouldBe((5, 3, 5));
        for (int layer = 0; layer < 2; layer++)
            Rows(cache.Keys(layer), 5).ShouldBe([0, 1, 2, 3, 4, 5, 10, 11, 12, 13]);
        Should.Throw<InvalidOperationException>(() => cache.WritePrefix(0, prefix, prefix));
    }

    [Fact]
    public void Rows_at_the_end_are_forgotten()
    {
        KvCache cache = new(1, 2, 2, capacity: 8);
        Tensor k = Counted(8, 2);
        cache.Append(0, k, k, 0, 6);
        cache.Advance(6);
        cache.Truncate(4);
        cache.Length.ShouldBe(4);
        cache.Append(0, k, k, 7, 1);
        cache.Advance(1);
        Rows(cache.Keys(0), 5).ShouldBe([0, 1, 2, 3, 4, 5, 6, 7, 14, 15]);
        Should.Throw<ArgumentOutOfRangeException>(() => cache.Truncate(6));
        Should.Throw<ArgumentOutOfRangeException>(() => cache.Truncate(-1));
        cache.Truncate(0);
        cache.Length.ShouldBe(0);
    }

    [Fact]
    public void Rows_of_another_width_are_refused()
    {
        KvCache cache = new(1, 3, 2, capacity: 4);
        Should.Throw<ArgumentException>(() => cache.Append(0, Counted(2, 2), Counted(2, 2), 0, 2)).Message.ShouldContain("[2, 2]");
        Should.Throw<ArgumentException>(() => cache.Append(0, Counted(2, 3), Counted(2, 3), 0, 2));
    }

    private static Tensor Counted(int rows, int columns) =>
        Tensor.FromValues([.. Enumerable.Range(0, rows * columns).Select(i => (float)i)], new Shape(rows, columns));

    private static float[] Rows(Tensor tensor, int count) => tensor.Values[..(count * tensor.Columns)].ToArray();
}
