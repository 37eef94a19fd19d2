using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Where the keys or the values of one head lie: in one piece, or page by page.</summary>
internal readonly unsafe struct AttentionRows
{
    private readonly byte* _data;
    private readonly byte** _pages;
    private readonly long _offset;

    private AttentionRows(byte* data, byte** pages, long offset, nint stride)
    {
        _data = data;
        _pages = pages;
        _offset = offset;
        Stride = stride;
    }

    /// <summary>Bytes from one row to the next.</summary>
    public nint Stride { get; }

    /// <summary>Keys of a head.</summary>
    public static AttentionRows Keys(in AttentionCall call, int head) => call.Pages == null
        ? new AttentionRows((byte*)(call.K + (long)head * call.HeadDim), null, 0, (nint)call.LdK * sizeof(float))
        : new AttentionRows(null, call.Pages, call.Layout.KeysAt(call.Layer, head), call.HeadDim * call.Layout.Type.BlockBytes());

    /// <summary>Values of a head.</summary>
    public static AttentionRows Values(in AttentionCall call, int head) => call.Pages == null
        ? new AttentionRows((byte*)(call.V + (long)head * call.ValueDim), null, 0, (nint)call.LdV * sizeof(float))
        : new AttentionRows(null, call.Pages, call.Layout.ValuesAt(call.Layer, head), call.ValueDim * call.Layout.Type.BlockBytes());

    /// <summary>Where a row lies, and how many follow it in the same piece, itself included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* At(int row, out int run)
    {
        if (_pages == null)
        {
            run = int.MaxValue;
            return _data + row * Stride;
        }
        int inPage = row % KvLayout.Rows;
        run = KvLayout.Rows - inPage;
        return _pages[row / KvLayout.Rows] + _offset + inPage * Stride;
    }

    /// <summary>The scale of a row of 8-bit integers, and behind it those of the rows that follow in its page.</summary>
    public float* Scales(int row) => (float*)(_pages[row / KvLayout.Rows] + _offset + KvLayout.Rows * Stride) + row % KvLayout.Rows;
}
