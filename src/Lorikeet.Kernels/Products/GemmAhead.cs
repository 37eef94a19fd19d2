using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>Fetches into the second cache what strips of A come next: assembled tiles do it while they run where it lies in one piece, else a share of it is fetched before each tile.</summary>
internal unsafe struct GemmAhead
{
    private const int Line = 64;

    private readonly byte* _from;
    private readonly nint _stride;
    private readonly int _rows, _bytes, _share;
    private readonly bool _inOnePiece;
    private int _row, _at;

    /// <summary>Rows of a factor as memory holds it, in so many shares.</summary>
    public GemmAhead(in GemmOperand x, int row, int rows, int first, int k, int shares)
    {
        if (!Sse.IsSupported || shares == 0 || rows == 0 || k == 0)
            return;
        _stride = (nint)(x.Stride / x.Type.BlockSize() * x.Type.BlockBytes());
        (int memoryRow, int column, _rows, int columns) = x.Transposed ? (first, row, k, rows) : (row, first, rows, k);
        int begin = column / x.Type.BlockSize() * x.Type.BlockBytes();
        _from = x.Row(memoryRow) + begin;
        _bytes = ((column + columns - 1) / x.Type.BlockSize() + 1) * x.Type.BlockBytes() - begin;
        _share = (_rows * (_bytes / Line + 1) + shares - 1) / shares;
    }

    /// <summary>Rows in one piece.</summary>
    public GemmAhead(float* from, nint floats, int shares)
    {
        if (!Sse.IsSupported || shares == 0)
            return;
        _from = (byte*)from;
        _inOnePiece = true;
        _rows = 1;
        _bytes = (int)(floats * sizeof(float));
        _share = (_bytes / Line + shares) / shares;
    }

    /// <summary>True where there is something that tiles cannot fetch, since it does not lie in one piece.</summary>
    public readonly bool Scattered => !_inOnePiece && _rows > 0;

    /// <summary>What tiles of so many steps, which fetch <see cref="GemmTiles.FetchedByStep"/> bytes each, may fetch, and its end; where nothing is left, something that is near.</summary>
    public void* Take(nint steps, void* near, out void* end)
    {
        end = _inOnePiece ? _from + _bytes : near;
        if (!_inOnePiece)
            return near;
        byte* from = _from + Math.Min(_at, _bytes);
        _at = (int)Math.Min(_bytes, _at + steps * GemmTiles.FetchedByStep);
        return from;
    }

    /// <summary>Fetches a share.</summary>
    public void Fetch()
    {
        for (int i = 0; i < _share && _row < _rows; i++)
        {
            Sse.Prefetch1(_from + _row * _stride + _at);
            _at += Line;
            if (_at >= _bytes)
            {
                _at = 0;
                _row++;
            }
        }
    }
}
