using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The pages of one sequence in the order of its rows.</summary>
public sealed unsafe class KvPages : IDisposable
{
    /// <summary>Pages that one call writes to.</summary>
    private const int Window = 64;

    private int[] _pages = new int[8];
    private int _count;

    /// <summary>No pages yet.</summary>
    /// <param name="pool">Where they come from and go to.</param>
    public KvPages(KvPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        Pool = pool;
    }

    /// <summary>Gives back the pages of a sequence that nobody disposed of.</summary>
    ~KvPages() => Keep(0);

    /// <summary>Where the pages come from.</summary>
    public KvPool Pool { get; }

    /// <summary>Rows that there is room for.</summary>
    public int Rows => _count * KvLayout.Rows;

    internal int Count => _count;

    /// <summary>Takes pages until there is room for as many rows.</summary>
    public void Reserve(int rows)
    {
        while (Rows < rows)
        {
            if (_count == _pages.Length)
                Array.Resize(ref _pages, _count * 2);
            _pages[_count] = Pool.Rent();
            _count++;
        }
    }

    /// <summary>Gives back the pages behind the first <paramref name="rows"/> rows.</summary>
    public void Keep(int rows)
    {
        int kept = (rows + KvLayout.Rows - 1) / KvLayout.Rows;
        if (kept >= _count)
            return;
        Pool.Return(_pages.AsSpan(kept.._count));
        _count = kept;
    }

    /// <summary>Writes rows of a layer from row <paramref name="at"/> on, rounded to the storage of the pool; <see cref="Reserve"/> them first.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="at">Row of the sequence.</param>
    /// <param name="k">Keys, <c>[rows, heads · keyDim]</c>.</param>
    /// <param name="v">Values, <c>[rows, heads · valueDim]</c>.</param>
    /// <param name="start">First of them to take.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentException">Rows of another width, or more than there is room for.</exception>
    public void Write(int layer, int at, Tensor k, Tensor v, int start, int count)
    {
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        KvLayout layout = Pool.Layout;
        Check.F32("cache", k);
        Check.F32("cache", v);
        if (k.Columns != layout.Heads * layout.KeyDim || v.Columns != layout.Heads * layout.ValueDim)
            throw new ArgumentException($"keys {k} and values {v} for a cache of {layout.Heads * layout.KeyDim} and {layout.Heads * layout.ValueDim} columns");
        if ((uint)layer >= (uint)layout.Layers || start < 0 || count < 0 || start > Math.Min(k.Rows, v.Rows) - count || at < 0 || at > Rows - count)
            throw new ArgumentException($"rows {start}..{start + count - 1} of keys {k} and values {v} for rows {at}.. of layer {layer} in a cache of {layout.Layers} layers with room for {Rows} rows");
        byte** pages = stackalloc byte*[Window];
        for (int done = 0, rows; done < count; done += rows)
        {
            int row = at + done, page = row / KvLayout.Rows;
            rows = Math.Min(count - done, (page + Window) * KvLayout.Rows - row);
            for (int i = 0; i < Window && page + i < _count; i++)
                pages[i] = Pool[_pages[page + i]];
            KvRowKernel.Write(new KvWriteCall
            {
                K = k.F + (start + done) * k.Ld,
                LdK = k.Ld,
                V = v.F + (start + done) * v.Ld,
                LdV = v.Ld,
                Rows = rows,
                Pages = pages,
                Layout = layout,
                Layer = layer,
                At = row % KvLayout.Rows,
            });
        }
        GC.KeepAlive(k);
        GC.KeepAlive(v);
        GC.KeepAlive(this);
    }

    /// <summary>What a row holds, as singles.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="row">Of the sequence.</param>
    /// <param name="keys">Receives <c>[heads · keyDim]</c>.</param>
    /// <param name="values">Receives <c>[heads · valueDim]</c>.</param>
    public void Read(int layer, int row, Span<float> keys, Span<float> values)
    {
        KvLayout layout = Pool.Layout;
        if ((uint)layer >= (uint)layout.Layers || (uint)row >= (uint)Rows || keys.Length < layout.Heads * layout.KeyDim || values.Length < layout.Heads * layout.ValueDim)
            throw new ArgumentException($"row {row} of layer {layer} into {keys.Length} and {values.Length} numbers, from a cache of {layout.Layers} layers with room for {Rows} rows");
        byte* page = Pool[_pages[row / KvLayout.Rows]];
        fixed (float* k = keys, v = values)
            KvRowKernel.Read(layout, &page, layer, row % KvLayout.Rows, k, v);
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Keep(0);
        GC.SuppressFinalize(this);
    }

    /// <summary>Where each page lies.</summary>
    internal void CopyTo(byte** addresses)
    {
        for (int i = 0; i < _count; i++)
            addresses[i] = Pool[_pages[i]];
    }
}
