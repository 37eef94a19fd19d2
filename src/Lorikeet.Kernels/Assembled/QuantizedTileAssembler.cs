using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Writes the innermost loop of a product of quantised factors: for each unit of 32 terms, integer dots of a tile of C with codes that are unpacked
/// in registers, which then become singles and are added with the product of the row's and the column's scale.
/// </summary>
internal sealed class QuantizedTileAssembler
{
    private const Register Call = Register.R11, A = Register.RAX, B = Register.R8, Units = Register.R10, Head = Register.R9, Scales = Register.RCX, Inner = Register.RDX;
    private const Register Next = Register.R12;

    // the tile of C, and the rows of it that are still to be fetched
    private const Register C = Register.RBX, CStep = Register.RSI, Rows = Register.RDI;

    /// <summary>Bytes of <see cref="GemmTileCall.Next"/> that a tile fetches with each unit.</summary>
    public const int FetchedByUnit = 64;

    private readonly MachineCode _code;
    private readonly PanelLayout _layout;
    private readonly IntegerDots _dots;
    private readonly int _rows, _vectors, _sums;

    // registers above the tile's singles and integers: codes of each vector, something passing, four codes of a row repeated, masks, ones
    private readonly int _codes, _passing, _repeat, _low, _upper, _ones;

    private QuantizedTileAssembler(PanelLayout layout, IntegerDots dots, int rows)
    {
        bool wide = dots == IntegerDots.Avx512Vnni;
        _code = new MachineCode(wide ? 64 : 32);
        _layout = layout;
        _dots = dots;
        _rows = rows;
        _vectors = wide ? 2 : 1;
        _sums = rows * _vectors;
        _codes = 2 * MaxRows(dots) * _vectors;
        _passing = _codes + _vectors;
        _repeat = _passing + _vectors;
        _low = _repeat + 1;
        _upper = _low + 1;
        _ones = _upper + 1;
    }

    /// <summary>The highest tile of all.</summary>
    public const int MostRows = 6;

    /// <summary>The highest tile: its integers, its singles and what it multiplies all stay in registers.</summary>
    public static int MaxRows(IntegerDots dots) => dots == IntegerDots.Avx512Vnni ? MostRows : 4;

    /// <summary>Assembles one tile, 32 columns broad.</summary>
    /// <param name="layout">The weights' panels.</param>
    /// <param name="dots">With what instructions.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <returns>The code, a function of one pointer to a <see cref="GemmTileCall"/> whose steps are units, whole blocks.</returns>
    public static MachineCode Tile(PanelLayout layout, IntegerDots dots, int rows)
    {
        QuantizedTileAssembler tile = new(layout, dots, rows);
        tile.Build();
        return tile._code;
    }

    /// <summary>Bytes from one row of A to the next.</summary>
    private static int Row => QuantizedStrips.Pitch(byRows: false);

    private int Width => _code.Width;

    private bool Wide => Width == 64;

    /// <summary>
    /// True for rows whose codes each dot repeats for itself, as it reads them. That is one operation where a repetition in a register would be one more
    /// (what counts while another thread uses the same core), but a read for each dot: all rows would keep the reading units too busy.
    /// </summary>
    private bool RepeatsItself(int row) => Wide && row % 3 > 0;

    private bool SplitsDots => _dots == IntegerDots.Avx2;

    private bool SplitsSigns => SplitsDots && _layout.FullBytes;

    private void Build()
    {
        _code.Enter();
        _code.Move(Call, MachineCode.Argument);
        _code.LoadWord(Next, Call, 72);
        if (_layout.Nibbles)
            _code.Repeat(_low, 0x0F0F0F0F, Register.EAX);
        if (_layout.SixBits)
            _code.Repeat(_upper, 0x30303030, Register.EAX);
        if (SplitsSigns)
            _code.Repeat(_upper, 0x80808080, Register.EAX);
        if (SplitsDots)
            _code.Repeat(_ones, 0x00010001, Register.EAX);
        for (int first = 0; first < 4 * PanelLayout.Columns; first += Width * _vectors)
            Columns(first);
        _code.Leave();
    }

    /// <summary>The columns whose words begin so many bytes into a row of words.</summary>
    private void Columns(int first)
    {
        for (int i = 0; i < _sums; i++)
            _code.Zero(i);
        _code.LoadWord(A, Call, 0);
        _code.LoadWord(B, Call, 16);
        _code.LoadWord(Units, Call, 32);
        _code.LoadWord(C, Call, 40);
        _code.LoadWord(CStep, Call, 48);
        _code.Move(Rows, _rows);
        ulong block = _code.NewLabel(), unit = _code.NewLabel(), fetched = _code.NewLabel();
        if (_layout.HeadBytes > 0)
        {
            _code.Bind(block);
            _code.Move(Head, B);
            _code.Move(Scales, B);
            _code.AddTo(Scales, (_layout.HasMinimum ? 4 : 2) * PanelLayout.Columns);
            _code.AddTo(B, _layout.HeadBytes);
            _code.Move(Inner, _layout.Units);
        }
        _code.Bind(unit);
        if (first == 0)
        {
            _code.PrefetchSecond(Next, 0);
            _code.AddTo(Next, FetchedByUnit);
        }
        // the tile of C is wanted when k has run: a row of it is asked for with each unit, since all at once would fill
        // the queue of misses before what the first steps read
        _code.Subtract(Rows, 1);
        _code.JumpIfLess(fetched);
        for (int at = 0; at < Width * _vectors; at += 64)
            _code.Prefetch(C, first + at);
        _code.Prefetch(C, first + Width * _vectors - 1);
        _code.AddTo(C, CStep);
        _code.Bind(fetched);
        for (int group = 0; group < _layout.Scales; group++)
            Group(first, group);
        _code.AddTo(A, 4 * QuantizedStrips.Words);
        _code.AddTo(B, _layout.UnitBytes);
        if (_layout.HeadBytes > 0)
        {
            _code.AddTo(Scales, 2 * PanelLayout.Columns);
            _code.Subtract(Inner, 1);
            _code.JumpIfNotZero(unit);
            _code.Subtract(Units, _layout.Units);
            _code.JumpIfNotZero(block);
        }
        else
        {
            _code.Subtract(Units, 1);
            _code.JumpIfNotZero(unit);
        }
        TileAssembler.Finish(_code, Call, first, _rows, _vectors, _repeat);
    }

    /// <summary>The terms that share a scale: 32, or 16 of them.</summary>
    private void Group(int first, int group)
    {
        int steps = 8 / _layout.Scales;
        bool starts = _layout.OffsetShift >= 0 && !SplitsSigns;
        for (int i = 0; i < _rows; i++)
        {
            for (int v = 0; v < _vectors; v++)
            {
                if (starts)
                    _code.Broadcast(Integer(i, v), A, Row * i + 4 * QuantizedStrips.StartAt(_layout.OffsetShift, group));
                else
                    _code.Zero(Integer(i, v));
            }
        }
        for (int step = 0; step < steps; step++)
        {
            for (int v = 0; v < _vectors; v++)
                Unpack(v, first + v * Width, group, step);
            for (int i = 0; i < _rows; i++)
            {
                int x = Row * i + 4 * (group * steps + step);
                bool once = RepeatsItself(i);
                if (!once)
                    _code.Broadcast(_repeat, A, x);
                for (int v = 0; v < _vectors; v++)
                {
                    if (once)
                        _code.DotBytesRepeated(Integer(i, v), _codes + v, A, x);
                    else
                        Dot(i, v);
                }
            }
        }
        for (int v = 0; v < _vectors; v++)
            Scale(v, first + v * Width, group, minimum: false);
        for (int i = 0; i < _rows; i++)
        {
            int scale = Row * i + 4 * QuantizedStrips.ScaleAt;
            if (!Wide)
                _code.Broadcast(_repeat, A, scale);
            for (int v = 0; v < _vectors; v++)
            {
                _code.ToSingle(Integer(i, v), Integer(i, v));
                if (Wide)
                    _code.MultiplyRepeated(_passing + v, _codes + v, A, scale);
                else
                    _code.Multiply(_passing + v, _codes + v, _repeat);
                _code.MultiplyAdd(i * _vectors + v, Integer(i, v), _passing + v);
            }
        }
        if (!_layout.HasMinimum)
            return;
        for (int v = 0; v < _vectors; v++)
            Scale(v, first + v * Width, group, minimum: true);
        for (int i = 0; i < _rows; i++)
        {
            int total = Row * i + 4 * QuantizedStrips.TotalAt;
            if (!Wide)
                _code.Broadcast(_repeat, A, total);
            for (int v = 0; v < _vectors; v++)
            {
                if (Wide)
                    _code.MultiplySubtractRepeated(i * _vectors + v, _codes + v, A, total);
                else
                    _code.MultiplySubtract(i * _vectors + v, _codes + v, _repeat);
            }
        }
    }

    private int Integer(int row, int vector) => MaxRows(_dots) * _vectors + row * _vectors + vector;

    /// <summary>Four codes of each column, unsigned; signed where magnitudes and signs are multiplied.</summary>
    private void Unpack(int v, int at, int group, int step)
    {
        const int word = 4 * PanelLayout.Columns;
        int codes = _codes + v, passing = _passing + v, steps = 8 / _layout.Scales;
        if (!_layout.Nibbles)
        {
            if (!SplitsSigns)
            {
                _code.Load(codes, B, word * (steps * group + step) + at);
                return;
            }
            _code.Xor(codes, _upper, B, word * (steps * group + step) + at);
            _code.Magnitudes(passing, codes);
            return;
        }
        int half = _layout.SixBits ? 2 : 4;
        _code.Load(codes, B, word * (half * group + step % half) + at);
        if (step >= half)
            _code.Shift(codes, codes, -4);
        _code.And(codes, codes, _low);
        if (!_layout.SixBits)
            return;
        _code.Load(passing, B, word * (4 + group) + at);
        if (step != 2)
            _code.Shift(passing, passing, 4 - 2 * step);
        _code.And(passing, passing, _upper);
        _code.Or(codes, codes, passing);
    }

    private void Dot(int row, int v)
    {
        int sum = Integer(row, v);
        if (!SplitsDots)
        {
            _code.DotBytes(sum, _codes + v, _repeat);
            return;
        }
        // sums of two products stay below 2^15: codes of at most six bits, or magnitudes of at most 128, times at most 127
        if (!SplitsSigns)
        {
            _code.MultiplyAddBytes(_repeat, _codes + v, _repeat);
        }
        else
        {
            _code.WithSigns(_repeat, _repeat, _codes + v);
            _code.MultiplyAddBytes(_repeat, _passing + v, _repeat);
        }
        _code.MultiplyAddWords(_repeat, _repeat, _ones);
        _code.AddIntegers(sum, sum, _repeat);
    }

    /// <summary>Scales or minima of a group, in place of its codes.</summary>
    private void Scale(int v, int at, int group, bool minimum)
    {
        int to = _codes + v, passing = _passing + v, columns = at / 4;
        if (_layout.Singles)
        {
            _code.Load(to, B, 4 * PanelLayout.Columns * (_layout.CodeWords + (minimum ? _layout.Scales : group)) + at);
            return;
        }
        if (_layout.HeadBytes == 0)
        {
            _code.LoadHalves(to, B, 4 * PanelLayout.Columns * _layout.CodeWords + (minimum ? 2 * PanelLayout.Columns : 0) + 2 * columns);
            return;
        }
        _code.LoadBytes(to, Scales, (minimum ? PanelLayout.Columns : group * PanelLayout.Columns) + columns, signed: _layout.Scales == 2);
        _code.ToSingle(to, to);
        _code.LoadHalves(passing, Head, (minimum ? 2 * PanelLayout.Columns : 0) + 2 * columns);
        _code.Multiply(to, to, passing);
    }
}
