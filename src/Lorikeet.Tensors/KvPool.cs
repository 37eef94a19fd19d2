using System.Runtime.InteropServices;
using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>
/// Memory for keys and values, shared by many sequences: pages of a fixed number of rows (<see cref="KvLayout"/>), which a sequence takes as it grows and
/// gives back when it ends (Kwon et al. 2023, arXiv:2309.06180). Nothing is copied to grow, and after warm-up nothing is asked of the operating system.
/// Sequences of one pool may be used by one thread at a time.
/// </summary>
public sealed unsafe class KvPool : IDisposable
{
    // sequences that nobody disposed of give their pages back from the finaliser's thread
    private readonly Lock _lock = new();
    private readonly KvLayout _layout;
    private nint[] _pages = new nint[64];
    private int[] _free = new int[64];
    private int _numbers;
    private int _freeCount;
    private bool _closed;

    /// <summary>A pool without pages.</summary>
    /// <param name="layout">Sizes and storage.</param>
    public KvPool(KvLayout layout) => _layout = layout;

    /// <summary>Frees what nobody disposed of.</summary>
    ~KvPool() => Free();

    /// <summary>Rows of a page.</summary>
    public static int PageRows => KvLayout.Rows;

    /// <summary>Sizes and storage of a page.</summary>
    public KvLayout Layout => _layout;

    /// <summary>Pages that sequences hold.</summary>
    public int UsedPages { get; private set; }

    /// <summary>Bytes of all pages, used or free.</summary>
    public long HeldBytes => (UsedPages + _freeCount) * _layout.PageBytes;

    /// <summary>Gives free pages back to the system; those of sequences that go on follow as they are returned.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    internal byte* this[int page] => (byte*)_pages[page];

    internal int Rent()
    {
        lock (_lock)
        {
            UsedPages++;
            if (_freeCount > 0)
                return _free[--_freeCount];
            if (_numbers == _pages.Length)
            {
                Array.Resize(ref _pages, _numbers * 2);
                Array.Resize(ref _free, _numbers * 2);
            }
            _pages[_numbers] = (nint)NativeMemory.AlignedAlloc((nuint)_layout.PageBytes, 64);
            GC.AddMemoryPressure(_layout.PageBytes);
            return _numbers++;
        }
    }

    internal void Return(ReadOnlySpan<int> pages)
    {
        lock (_lock)
        {
            // the last first: a sequence that begins takes them in the order in which they lie in memory
            for (int i = pages.Length - 1; i >= 0; i--)
                _free[_freeCount++] = pages[i];
            UsedPages -= pages.Length;
            if (_closed)
                Free();
        }
    }

    private void Free()
    {
        lock (_lock)
        {
            _closed = true;
            for (; _freeCount > 0; _freeCount--)
            {
                NativeMemory.AlignedFree((void*)_pages[_free[_freeCount - 1]]);
                GC.RemoveMemoryPressure(_layout.PageBytes);
            }
        }
    }
}
