using System.Runtime.CompilerServices;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>
/// How one product is cut. Threads take rectangles of C. Within one, the sums run in blocks of k short enough that a tile's rows of A stay near
/// and a block of B's panels in the second cache; tiles read B packed, and A packed or as it lies. The order of additions into an element of C
/// depends on the blocks of k alone, so it is the same for any number of threads and rows.
/// </summary>
internal unsafe struct GemmPlan
{
    /// <summary>Terms that a block of k aims at.</summary>
    private const int BlockTerms = 576;

    /// <summary>Further terms that the second product may add to the last block.</summary>
    private const int ExtraTerms = 64;

    /// <summary>Floats of B that are packed at once: five eighths of the second-level cache.</summary>
    private static readonly int BlockFloats = ProcessorFeatures.SecondCacheBytes / sizeof(float) / 8 * 5;

    /// <summary>Floats of A that are kept packed for further columns: 4 MB, which the last cache should hold beside C.</summary>
    private const int KeptFloats = 1024 * 1024;

    /// <summary>Rows up to which a product may be computed as its transpose, which packs them instead of those of B.</summary>
    private const int TurnedRows = 256;

    /// <summary>Strips whose results are turned back together: so many of any height are whole squares of 8 × 8.</summary>
    private const int TurnedStrips = 8;

    /// <summary>Multiplications for which waking other threads does not pay.</summary>
    public const long SerialWork = 300_000;

    private GemmCall _call;
    private KernelTier _tier;
    private TileKind _kind;
    private bool _rounds;
    private int _pair;
    private int _block;
    private int _rowParts;
    private int _columnParts;
    private bool _turned;

    /// <summary>Runs a product on the tiles of a tier.</summary>
    public static void Run(in GemmCall call, KernelTier tier) => Run(call, tier, ComputePool.Threads);

    /// <summary>Runs a product on the tiles of a tier, cut for a number of threads.</summary>
    public static void Run(in GemmCall call, KernelTier tier, int threads)
    {
        if (call.M <= 0 || call.N <= 0)
            return;
        bool narrow = call.Precision == GemmPrecision.BF16, pairs = narrow && GemmTiles.Has(tier, TileKind.BF16);
        GemmPlan plan = new() { _call = call, _tier = tier, _kind = pairs ? TileKind.BF16 : TileKind.F32, _pair = pairs ? 2 : 1, _rounds = narrow && !pairs };
        if (plan.TurnsWell())
            plan.Turn();
        plan._block = plan.TermsPerBlock();
        plan.Divide(plan.Tiles, threads);
        ComputePool.Run(&Part, &plan, plan._rowParts * plan._columnParts);
    }

    private readonly GemmTiles Tiles => GemmTiles.Of(_tier, _kind);

    /// <summary>
    /// True where few rows meet many of B: packing B would cost as much as a good part of the tiles. As left factor, assembled ones read it where it lies, and
    /// formats are unpacked without being turned; where it would have to be copied that pays for a single register of columns only.
    /// </summary>
    private readonly bool TurnsWell()
    {
        GemmTiles tiles = Tiles;
        bool ready = InPlace(_call.B, _call.Alpha) || !GemmPack.IsDirect(_call.B.Type);
        return tiles.Fetches && ReadsSingles && !_call.B.Transposed && (_call.K2 == 0 || !_call.B2.Transposed) && _call.M <= (ready ? TurnedRows : tiles.Lanes) && _call.N >= _call.M;
    }

    /// <summary>Every element stays the same sum of the same terms.</summary>
    private void Turn()
    {
        _turned = true;
        (_call.M, _call.N) = (_call.N, _call.M);
        (_call.A, _call.B) = (_call.B, _call.A);
        (_call.A2, _call.B2) = (_call.B2, _call.A2);
    }

    /// <summary>Equal blocks of k, of whole blocks of stored weights.</summary>
    private readonly int TermsPerBlock()
    {
        int unit = Math.Max(8, Math.Max(_call.A.Type.BlockSize(), _call.B.Type.BlockSize()));
        int most = BlockTerms * _pair, blocks = Math.Max(1, (_call.K + most - 1) / most);
        return Math.Max(1, ((_call.K + blocks - 1) / blocks + unit - 1) / unit) * unit;
    }

    /// <summary>Steps of a tile that so many terms take.</summary>
    private readonly int StepsOf(int terms) => (terms + _pair - 1) / _pair;

    /// <summary>Chooses the rectangles: as many as threads, or a few times as many, so that the slowest thread ends early at little extra packing.</summary>
    private void Divide(GemmTiles tiles, int threads)
    {
        _rowParts = _columnParts = 1;
        long work = (long)_call.M * _call.N * (_call.K + _call.K2);
        if (threads == 1 || work < SerialWork)
            return;
        int panels = (_call.N + 2 * tiles.Lanes - 1) / (2 * tiles.Lanes);
        int rowTiles = (_call.M + tiles.MaxRows - 1) / tiles.MaxRows;
        double best = double.MaxValue, ofRows = !_call.A.Transposed && InPlace(_call.A, FactorOfA(_call.Alpha)) ? 0.5 : 1;
        // a product that is turned packs few columns: several parts of rows cost little more
        for (int rows = 1; rows <= Math.Min(rowTiles, _turned ? 4 * threads : threads); rows++)
        {
            for (int turns = 1; turns <= 4; turns++)
            {
                int columns = Math.Clamp(turns * threads / rows, 1, panels);
                // in units of one tile's work: the tiles of the largest part, the packing of its rows and columns, and
                // a tenth of a part that the last thread ends later than the others, since no two run equally fast.
                // Packing takes about 1.4 cycles for each value, most of them waiting for memory, a tile one for each 32 of its products;
                // rows that are read as they lie have to come near, too
                double rowsOfPart = (double)rowTiles / rows, columnsOfPart = Math.Ceiling((double)panels / columns);
                double part = rowsOfPart * columnsOfPart + ofRows * rowsOfPart + 3 * columnsOfPart + 1;
                double time = part * ((rows * columns + threads - 1) / threads + 0.1);
                if (time < best)
                {
                    best = time;
                    _rowParts = rows;
                    _columnParts = columns;
                }
            }
        }
    }

    private static void Part(void* context, int part)
    {
        var plan = (GemmPlan*)context;
        int lanes = plan->Tiles.Lanes;
        int rowPart = part % plan->_rowParts, columnPart = part / plan->_rowParts;
        int m = plan->_call.M, n = plan->_call.N;
        int row = (int)((long)m * rowPart / plan->_rowParts), rowEnd = (int)((long)m * (rowPart + 1) / plan->_rowParts);
        int panel = 2 * lanes, panels = (n + panel - 1) / panel;
        int column = (int)((long)panels * columnPart / plan->_columnParts) * panel;
        int columnEnd = Math.Min(n, (int)((long)panels * (columnPart + 1) / plan->_columnParts) * panel);
        if (row < rowEnd && column < columnEnd)
            plan->Rectangle(row, rowEnd - row, column, columnEnd - column);
    }

    /// <summary>One part's rectangle of C, in as many chunks of rows as the packed rows of A want.</summary>
    private readonly void Rectangle(int row, int rows, int column, int columns)
    {
        GemmTiles tiles = Tiles;
        int longest = _block + (_call.K2 > 0 ? ExtraTerms : 0);
        int tileRows = (rows + tiles.MaxRows - 1) / tiles.MaxRows;
        int chunks = (tileRows - 1) / Math.Max(1, KeptFloats / StepsOf(longest) / tiles.MaxRows) + 1;
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            int begin = (int)((long)rows * chunk / chunks), end = (int)((long)rows * (chunk + 1) / chunks);
            Rows(row + begin, end - begin, column, columns, longest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization), SkipLocalsInit]
    private readonly void Rows(int row, int rows, int column, int columns, int longest)
    {
        GemmTiles tiles = Tiles;
        int panel = 2 * tiles.Lanes;
        int panels = (columns + panel - 1) / panel;
        int blocks = (panels - 1) / Math.Max(1, BlockFloats / StepsOf(longest) / panel) + 1;
        int blockColumns = (panels + blocks - 1) / blocks * panel;
        int rowTiles = (rows + tiles.MaxRows - 1) / tiles.MaxRows;
        // a factor that lies as the tile reads it is not packed: columns that are read once or twice only, rows that are far enough apart
        bool bInPlace = ReadsSingles && _call.B is { Type: DType.F32, Transposed: true } && _call.Alpha == 1 && rowTiles <= 2 && !_turned;
        bool apart = tiles.Fetches && !bInPlace && !_call.A.Transposed && (_call.K2 == 0 || !_call.A2.Transposed);
        bool aInPlace = apart ? InPlace(_call.A, FactorOfA(_call.Alpha)) : ReadsSingles && _call.A is { Type: DType.F32, Transposed: true } && columns <= 2 * panel;
        bool a2InPlace = apart && InPlace(_call.A2, FactorOfA(_call.Alpha2));

        // where memory holds [k, m], the lines that a strip needs hold its neighbours too
        int mostStrips = _turned ? TurnedStrips : _call.A.Transposed && _call.K2 == 0 ? 4 : 1;
        int aRows = mostStrips * tiles.MaxRows;

        int scratch = Math.Max(
            Math.Max(GemmPack.ScratchFloats(_call.A, aRows, longest), GemmPack.ScratchFloats(_call.B, blockColumns, longest)),
            Math.Max(GemmPack.ScratchFloats(_call.A2, aRows, longest), GemmPack.ScratchFloats(_call.B2, blockColumns, longest)));
        // a step of the second product may begin a pair of its own
        int steps = StepsOf(longest) + 1;
        bool packsA = !(aInPlace && apart && (a2InPlace || _call.K2 == 0));
        // later blocks of columns find A as the first one packed it
        bool keepA = packsA && blocks > 1;
        int aFloats = !packsA ? 0 : ((keepA ? rows : aRows) * Pitch(steps) + GemmNarrow.Slack + 15) & ~15;
        int wide = _pair == 1 ? 0 : (Math.Max(aRows, panel) * (longest + 1) + GemmNarrow.Slack + 15) & ~15;
        int turned = _turned ? aRows * blockColumns : 0;
        float* a = GemmScratch.Rent(aFloats + (long)blockColumns * steps + GemmNarrow.Slack + wide + scratch + turned + 16);
        float* b = a + aFloats;
        float* unpacked = b + (long)blockColumns * steps + GemmNarrow.Slack;
        float* edge = stackalloc float[14 * 32];
        // whole registers
        float* results = (float*)(((nint)(unpacked + wide + scratch) + 63) & ~63);

        int k1 = 0, k2 = 0;
        do
        {
            int terms = Math.Min(_block, _call.K - k1);
            int terms2 = k1 + terms == _call.K ? Math.Min(longest - terms, _call.K2 - k2) : 0;
            bool first = k1 == 0 && k2 == 0;
            for (int j = column; j < column + columns; j += blockColumns)
            {
                Block block = new()
                {
                    K1 = k1,
                    K2 = k2,
                    Terms = terms,
                    Terms2 = terms2,
                    Column = j,
                    Columns = Math.Min(blockColumns, column + columns - j),
                    BInPlace = bInPlace && terms2 == 0,
                    // compiled tiles read the steps of both products from one place
                    AInPlace = aInPlace && (terms2 == 0 || tiles.Fetches),
                    A2InPlace = a2InPlace,
                    B = b,
                    Wide = unpacked,
                    Unpacked = unpacked + wide,
                    Apart = apart,
                    Steps = StepsOf(terms),
                    Steps2 = StepsOf(terms2),
                    Edge = edge,
                    Accumulate = !first || _call.Accumulate,
                    Bias = !first || _call.Bias == null ? null : _turned ? _call.Bias : _call.Bias + j,
                };
                PackB(block, tiles);
                int pitch = block.Pitch;
                for (int at = row, left = rowTiles; left > 0;)
                {
                    // tiles of two heights, the higher ones first
                    int rest = row + rows - at, height = (rest + left - 1) / left;
                    int strips = Math.Min(rest - left * (height - 1), mostStrips);
                    int after = at + strips * height, next = Math.Min(strips * height, row + rows - after), shares = strips * (block.Columns / panel);
                    float* strip = keepA ? a + (nint)(at - row) * pitch : a;
                    GemmAhead ahead = default;
                    if (keepA && j > column)
                    {
                        ahead = new GemmAhead(strip + (nint)strips * height * pitch, (nint)next * pitch, shares);
                    }
                    else
                    {
                        PackA(block, at, height, strips, strip);
                        if (!apart && !block.AInPlace)
                            ahead = new GemmAhead(_call.A, after, next, k1, terms, shares);
                        else if (block.AInPlace && apart && _call.A.Stride == terms)
                            ahead = new GemmAhead((float*)_call.A.Data + after * _call.A.Stride, (nint)next * terms, shares);
                    }
                    if (_turned)
                    {
                        for (int s = 0; s < strips; s++, strip += (nint)height * pitch)
                            Strip(block, tiles, at + s * height, height, strip, results + (nint)s * height * blockColumns, blockColumns, ref ahead);
                        GemmTurn.Store(
                            results, blockColumns, strips * height, block.Columns, _call.C + j * _call.StrideC + at, _call.StrideC, block.Bias == null ? null : block.Bias + at, block.Accumulate);
                        at += strips * height;
                        left -= strips;
                        continue;
                    }
                    for (; strips > 0; strips--, left--, at += height, strip += (nint)height * pitch)
                        Strip(block, tiles, at, height, strip, _call.C + at * _call.StrideC + j, _call.StrideC, ref ahead);
                }
            }
            k1 += terms;
            k2 += terms2;
        }
        while (k1 < _call.K || k2 < _call.K2);
    }

    /// <summary>An odd number of lines: rows of a strip begin in different places of the first cache.</summary>
    private static int Pitch(int steps) => (steps + 15) & ~15 | 16;

    private readonly bool ReadsSingles => _kind == TileKind.F32 && !_rounds;

    // activations may be read as they lie, so the weight takes the product's factor; where both are rounded activations do, and weights stored as
    // bfloat16 stay what they are. The weight is B, unless the product is turned
    private readonly float FactorOfA(float alpha) => ReadsSingles == _turned ? alpha : 1;

    private readonly float FactorOfB(float alpha) => ReadsSingles == _turned ? 1 : alpha;

    /// <summary>
    /// True where tiles may read rows, times a factor, as memory holds them: rows 4 kB apart would all want the same few lines of the first cache, and
    /// rows 64 kB and more apart come slowly unless they are copied one after another.
    /// </summary>
    private readonly bool InPlace(in GemmOperand x, float factor) => ReadsSingles && x.Type == DType.F32 && x.Stride % 1024 != 0 && x.Stride < 16 * 1024 && factor == 1;

    private readonly void PackB(in Block block, GemmTiles tiles)
    {
        int panel = 2 * tiles.Lanes;
        int whole = block.Columns / panel * panel, rest = block.Columns - whole;
        if (!block.BInPlace)
            PackB(block, block.Column, whole, panel, block.B);
        PackB(block, block.Column + whole, rest, rest <= tiles.Lanes ? tiles.Lanes : panel, block.B + (nint)whole * (block.Steps + block.Steps2));
    }

    private readonly void PackB(in Block block, int column, int columns, int width, float* to)
    {
        nint step = (nint)width * (block.Steps + block.Steps2);
        Pack(block, _call.B, column, columns, block.K1, block.Terms, FactorOfB(_call.Alpha), width, to, step);
        Pack(block, _call.B2, column, columns, block.K2, block.Terms2, FactorOfB(_call.Alpha2), width, to + (nint)block.Steps * width, step);
    }

    private readonly void PackA(in Block block, int row, int height, int strips, float* to)
    {
        int rows = strips * height;
        if (!block.AInPlace)
            PackA(block, _call.A, row, rows, block.K1, block.Terms, FactorOfA(_call.Alpha), height, to);
        if (!block.A2InPlace)
            PackA(block, _call.A2, row, rows, block.K2, block.Terms2, FactorOfA(_call.Alpha2), height, to + block.Second(height));
    }

    private readonly void PackA(in Block block, in GemmOperand x, int row, int rows, int first, int terms, float scale, int height, float* to)
    {
        if (!block.Apart)
        {
            Pack(block, x, row, rows, first, terms, scale, height, to, (nint)height * block.PackedSteps);
            return;
        }
        for (int r = 0; r < rows && terms > 0; r++, to += block.Pitch)
        {
            float* singles = _pair == 1 ? to : block.Wide;
            GemmPack.Row(x, row + r, first, terms, scale, singles);
            if (_rounds)
                GemmNarrow.Round(to, terms);
            if (_pair > 1)
                GemmNarrow.Row(singles, terms, (ushort*)to);
        }
    }

    /// <summary>Packs rows of one factor in panels of <paramref name="width"/>, <paramref name="step"/> apart.</summary>
    private readonly void Pack(in Block block, in GemmOperand x, int row, int rows, int first, int terms, float scale, int width, float* to, nint step)
    {
        if (rows <= 0 || terms == 0)
            return;
        bool wide = _tier >= KernelTier.Vector256;
        if (_pair == 1)
        {
            GemmPack.Panels(x, row, rows, first, terms, scale, to, width, step, wide, block.Unpacked);
            for (int r = 0; _rounds && r < rows; r += width, to += step)
                GemmNarrow.Round(to, (nint)width * terms);
            return;
        }
        // by one panel, or by the few whose rows lie in the same lines of memory
        int most = x.Transposed && width < 2 * Tiles.Lanes ? rows : width;
        nint panel = (nint)width * terms;
        for (int r = 0; r < rows; r += most)
        {
            float* from = block.Wide;
            GemmPack.Panels(x, row + r, Math.Min(most, rows - r), first, terms, scale, from, width, panel, wide, block.Unpacked);
            for (int i = r; i < Math.Min(r + most, rows); i += width, from += panel, to += step)
                GemmNarrow.Pairs(from, terms, width, (uint*)to);
        }
    }

    /// <summary>One strip of A, of which <paramref name="a"/> is what was packed, against all of the block's panels of B, to <paramref name="c"/>.</summary>
    private readonly void Strip(in Block block, GemmTiles tiles, int row, int height, float* a, float* c, long strideC, ref GemmAhead ahead)
    {
        int lanes = tiles.Lanes, panel = 2 * lanes;
        int k = block.Steps + block.Steps2;
        GemmTileCall call = new()
        {
            A = a,
            ARow = block.Pitch * sizeof(float),
            AStep = height * sizeof(float),
            BStep = block.BInPlace ? (nint)_call.B.Stride * sizeof(float) : panel * sizeof(float),
            Steps = tiles.Fetches ? block.Steps : k,
            A2 = a + block.Second(height),
            A2Row = block.Pitch * sizeof(float),
            A2Step = height * sizeof(float),
            Steps2 = tiles.Fetches ? block.Steps2 : 0,
            Next = a,
            NextEnd = a,
            CStep = (nint)strideC * sizeof(float),
            Accumulate = block.Accumulate && !_turned ? 1 : 0,
        };
        if (block.AInPlace)
        {
            call.A = Element(_call.A, row, block.K1);
            call.ARow = call.AStep = (nint)_call.A.Stride * sizeof(float);
        }
        if (block.A2InPlace)
        {
            call.A2 = Element(_call.A2, row, block.K2);
            call.A2Row = (nint)_call.A2.Stride * sizeof(float);
        }
        call.BPanel = (block.BInPlace ? panel : panel * k) * sizeof(float);
        // memory that lies scattered is fetched between tiles
        int together = tiles.Fetches && !ahead.Scattered ? block.Columns / panel : 1;
        int j = 0;
        for (; j + panel <= block.Columns; j += together * panel)
        {
            if (tiles.Fetches)
                call.Next = ahead.Take((nint)together * block.Steps, a, out call.NextEnd);
            if (!tiles.Fetches || ahead.Scattered)
                ahead.Fetch();
            call.B = block.BInPlace ? (float*)_call.B.Data + block.K1 * _call.B.Stride + block.Column + j : block.B + (nint)j * k;
            call.C = c + j;
            call.Bias = block.Bias == null || _turned ? null : block.Bias + j;
            call.Panels = together;
            tiles.Run(height, 2, block.Apart, &call);
        }
        call.Panels = 1;
        if (j < block.Columns)
        {
            int rest = block.Columns - j, width = rest <= lanes ? lanes : panel;
            float* bias = block.Bias == null || _turned ? null : block.Bias + j;
            call.B = block.B + (nint)j * k;
            call.BStep = width * sizeof(float);
            // results that are turned have room for whole registers
            if (rest == width || _turned)
            {
                call.C = c + j;
                call.Bias = bias;
                tiles.Run(height, width / lanes, block.Apart, &call);
                return;
            }
            call.C = block.Edge;
            call.CStep = width * sizeof(float);
            call.Accumulate = 0;
            call.Bias = null;
            tiles.Run(height, width / lanes, block.Apart, &call);
            Spread(block.Edge, width, height, rest, c + j, bias, block.Accumulate);
        }
    }

    private static float* Element(in GemmOperand x, int row, int term) => (float*)x.Data + (x.Transposed ? term * x.Stride + row : row * x.Stride + term);

    /// <summary>Moves a tile that is broader than what is left of C.</summary>
    private readonly void Spread(float* edge, int width, int rows, int columns, float* c, float* bias, bool accumulate)
    {
        for (int i = 0; i < rows; i++, edge += width, c += _call.StrideC)
        {
            for (int j = 0; j < columns; j++)
            {
                float value = edge[j];
                if (accumulate)
                    value += c[j];
                c[j] = bias == null ? value : value + bias[j];
            }
        }
    }

    /// <summary>One block of k by one block of columns.</summary>
    private struct Block
    {
        public int K1, K2, Terms, Terms2, Steps, Steps2, Column, Columns;
        public bool Apart, AInPlace, A2InPlace, BInPlace, Accumulate;
        public float* B, Wide, Unpacked, Edge, Bias;

        /// <summary>Steps that packed strips of A have.</summary>
        public readonly int PackedSteps => (AInPlace ? 0 : Steps) + (A2InPlace ? 0 : Steps2);

        /// <summary>Floats that a packed row of A takes.</summary>
        public readonly int Pitch => Apart ? GemmPlan.Pitch(PackedSteps) : PackedSteps;

        /// <summary>Floats of a strip before those of the second product.</summary>
        public readonly int Second(int height) => AInPlace ? 0 : Steps * (Apart ? 1 : height);
    }
}
