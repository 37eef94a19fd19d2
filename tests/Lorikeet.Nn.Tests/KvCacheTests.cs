using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

public sealed class KvCacheTests : IDisposable
{
    private readonly KvPool _pool = new(new KvLayout(2, 1, 3, 2, DType.F32));

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Rows_count_once_every_layer_has_them()
    {
        using KvCache cache = new(_pool);
        Tensor k = Counted(5, 3), v = Counted(5, 2);
        cache.Append(0, k, v, 1, 2);
        cache.Length.ShouldBe(0);
        cache.Append(1, k, v, 2, 2);
        cache.Advance(2);
        cache.Append(0, k, v, 4, 1);
        cache.Append(1, k, v, 0, 1);
        cache.Advance(1);
        cache.Length.ShouldBe(3);
        Keys(cache, 0).ShouldBe([3, 4, 5, 6, 7, 8, 12, 13, 14]);
        Keys(cache, 1).ShouldBe([6, 7, 8, 9, 10, 11, 0, 1, 2]);
        Values(cache, 0).ShouldBe([2, 3, 4, 5, 8, 9]);
    }

    [Fact]
    public void It_grows_by_pages_and_keeps_what_it_holds()
    {
        using KvCache cache = new(_pool);
        int rows = 5 * KvPool.PageRows;
        Tensor k = Counted(rows, 3), v = Counted(rows, 2);
        for (int at = 0, count = 1; at + count <= rows; at += count, count++)
        {
            for (int layer = 0; layer < 2; layer++)
                cache.Append(layer, k, v, at, count);
            cache.Advance(count);
            Keys(cache, 0).ShouldBe(k.Values[..(cache.Length * 3)].ToArray());
            Values(cache, 1).ShouldBe(v.Values[..(cache.Length * 2)].ToArray());
            _pool.UsedPages.ShouldBe((cache.Length + KvPool.PageRows - 1) / KvPool.PageRows);
        }
    }

    [Fact]
    public void More_rows_than_one_call_has_pages_for_arrive_all_the_same()
    {
        using KvCache cache = new(_pool);
        int rows = 130 * KvPool.PageRows;
        Tensor k = Counted(rows, 3), v = Counted(rows, 2);
        cache.Append(1, k, v, 0, 7);
        cache.Append(0, k, v, 0, 7);
        cache.Advance(7);
        cache.Append(1, k, v, 7, rows - 7);
        cache.Advance(rows - 7);
        Keys(cache, 1).ShouldBe(k.Values.ToArray());
        Values(cache, 1).ShouldBe(v.Values.ToArray());
    }

    [Fact]
    public void A_learned_prefix_stands_before_the_first_tokens()
    {
        using KvCache cache = new(_pool);
        Tensor prefix = Counted(3, 3), prefixValues = Counted(3, 2), k = Counted(40, 3), v = Counted(40, 2);
        for (int layer = 0; layer < 2; layer++)
        {
            cache.WritePrefix(layer, prefix, prefixValues);
            cache.End.ShouldBe(3);
            cache.Append(layer, k, v, 5, 35);
        }
        cache.Advance(35);
        (cache.Length, cache.Prefix, cache.End).ShouldBe((38, 3, 38));
        for (int layer = 0; layer < 2; layer++)
            Keys(cache, layer).ShouldBe([.. prefix.Values, .. k.Values[15..]]);
        Should.Throw<InvalidOperationException>(() => cache.WritePrefix(0, prefix, prefixValues));
    }

    [Fact]
    public void Rows_at_the_end_are_forgotten_and_their_pages_given_back()
    {
        using KvCache cache = new(_pool);
        Tensor k = Counted(100, 3), v = Counted(100, 2);
        cache.Append(0, k, v, 0, 100);
        cache.Advance(100);
        _pool.UsedPages.ShouldBe(4);
        cache.Truncate(33);
        cache.Length.ShouldBe(33);
        _pool.UsedPages.ShouldBe(2);
        cache.Append(0, k, v, 7, 1);
        cache.Advance(1);
        Keys(cache, 0).ShouldBe([.. k.Values[..99], 21, 22, 23]);
        Should.Throw<ArgumentOutOfRangeException>(() => cache.Truncate(35));
        Should.Throw<ArgumentOutOfRangeException>(() => cache.Truncate(-1));
        cache.Truncate(0);
        cache.Length.ShouldBe(0);
        _pool.UsedPages.ShouldBe(0);
    }

    [Fact]
    public void Sequences_share_a_pool_and_use_each_others_pages_again()
    {
        Tensor k = Counted(90, 3), v = Counted(90, 2);
        long held;
        using (KvCache first = new(_pool), second = new(_pool))
        {
            first.Append(0, k, v, 0, 40);
            second.Append(0, k, v, 50, 40);
            first.Advance(40);
            second.Advance(40);
            Keys(first, 0).ShouldBe(k.Values[..120].ToArray());
            Keys(second, 0).ShouldBe(k.Values[150..].ToArray());
            held = _pool.HeldBytes;
        }
        _pool.UsedPages.ShouldBe(0);
        using KvCache third = new(_pool);
        third.Append(0, k, v, 0, 90);
        _pool.HeldBytes.ShouldBe(held);
        _pool.UsedPages.ShouldBe(3);
    }

    [Fact]
    public void A_sequence_outlives_its_pool_and_one_that_is_forgotten_gives_its_pages_back()
    {
        Tensor k = Counted(4, 3), v = Counted(4, 2);
        KvCache cache = new(_pool);
        cache.Append(0, k, v, 0, 4);
        cache.Advance(4);
        Forget(k, v);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _pool.UsedPages.ShouldBe(1);
        _pool.Dispose();
        Keys(cache, 0).ShouldBe(k.Values.ToArray());
        cache.Dispose();
        _pool.HeldBytes.ShouldBe(0);
    }

    // apart, so that no register of the test still holds it
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private void Forget(Tensor k, Tensor v)
    {
        new KvCache(_pool).Append(0, k, v, 0, 4);
        _pool.UsedPages.ShouldBe(2);
    }

    [Fact]
    public void Rows_of_another_width_are_refused()
    {
        using KvCache cache = new(_pool);
        Should.Throw<ArgumentException>(() => cache.Append(0, Counted(2, 2), Counted(2, 2), 0, 2)).Message.ShouldContain("[2, 2]");
        Should.Throw<ArgumentException>(() => cache.Append(0, Counted(2, 3), Counted(2, 3), 0, 2));
        Should.Throw<ArgumentException>(() => cache.Append(2, Counted(2, 3), Counted(2, 2), 0, 2)).Message.ShouldContain("layer 2");
        Should.Throw<ArgumentException>(() => cache.Append(0, Counted(2, 3), Counted(2, 2), 1, 2));
        Should.Throw<ArgumentException>(() => new KvLayout(1, 1, 1, 1, DType.F16)).Message.ShouldContain("F16");
    }

    private static Tensor Counted(int rows, int columns) =>
        Tensor.FromValues([.. Enumerable.Range(0, rows * columns).Select(i => (float)i)], new Shape(rows, columns));

    private static float[] Keys(KvCache cache, int layer) => [.. Rows(cache, layer).SelectMany(row => row.Keys)];

    private static float[] Values(KvCache cache, int layer) => [.. Rows(cache, layer).SelectMany(row => row.Values)];

    private static IEnumerable<(float[] Keys, float[] Values)> Rows(KvCache cache, int layer)
    {
        for (int row = 0; row < cache.Length; row++)
        {
            float[] keys = new float[3], values = new float[2];
            cache.Pages.Read(layer, row, keys, values);
            yield return (keys, values);
        }
    }
}
