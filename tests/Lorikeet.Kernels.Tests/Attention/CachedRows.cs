using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Tests;

/// <summary>The keys and values of an attention call, written into pages that lie apart and in no order.</summary>
internal sealed unsafe class CachedRows : IDisposable
{
    private const int Layers = 3, Layer = 1;

    private readonly byte** _pages;
    private readonly int _count;

    public CachedRows(in AttentionCall call, DType type)
    {
        Layout = new KvLayout(Layers, call.KvHeads, call.HeadDim, call.ValueDim, type);
        _count = (call.Keys + KvLayout.Rows - 1) / KvLayout.Rows;
        _pages = (byte**)NativeMemory.Alloc((nuint)(_count * sizeof(byte*)));
        for (int i = 0; i < _count; i++)
        {
            _pages[i] = (byte*)NativeMemory.AlignedAlloc((nuint)Layout.PageBytes, 64);
            // NaN in every storage but integers, whose scales it breaks
            new Span<byte>(_pages[i], (int)Layout.PageBytes).Fill(0xFF);
        }
        Call = call;
        Write(0, call.Keys / 3);
        Write(call.Keys / 3, call.Keys - call.Keys / 3);
        Call.Pages = _pages;
        Call.Layout = Layout;
        Call.Layer = Layer;
        Call.K = Call.V = null;
    }

    public KvLayout Layout { get; }

    /// <summary>The call, over the pages.</summary>
    public AttentionCall Call;

    /// <summary>What the pages hold of a row.</summary>
    public (float[] Keys, float[] Values) Row(int row)
    {
        float[] keys = new float[Layout.Heads * Layout.KeyDim], values = new float[Layout.Heads * Layout.ValueDim];
        fixed (float* k = keys, v = values)
            KvRowKernel.Read(Layout, _pages, Layer, row, k, v);
        return (keys, values);
    }

    private void Write(int from, int rows) => KvRowKernel.Write(new KvWriteCall
    {
        K = Call.K + from * Call.LdK, LdK = Call.LdK, V = Call.V + from * Call.LdV, LdV = Call.LdV, Rows = rows,
        Pages = _pages, Layout = Layout, Layer = Layer, At = from,
    });

    public void Dispose()
    {
        for (int i = 0; i < _count; i++)
            NativeMemory.AlignedFree(_pages[i]);
        NativeMemory.Free(_pages);
    }
}
