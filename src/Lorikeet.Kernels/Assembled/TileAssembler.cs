using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Writes the innermost loop of a product: a tile of C stays in registers while k runs. Each step loads one or two registers of B's panel and adds
/// the outer product with the tile's rows of A, four bytes of each row repeated: one single or two bfloat16. Every second row is repeated by the
/// instructions that multiply it, the others in a register. All in registers would be as fast where a core is alone; where another thread of
/// the machine shares its issue slots, seven fewer of 46 instructions are a tenth of the time. All by the instructions that multiply would read too often.
/// </summary>
internal sealed class TileAssembler(TileKind kind, int width, int rows, int registers, bool apart, bool inPlace)
{
    // arguments, and what they are loaded into while k runs
    private const Register Call = Register.R11, A = Register.RAX, AStep = Register.RDX, B = Register.R8, BStep = Register.R9, Steps = Register.R10, Next = Register.RCX;

    // where rows 0, 2, 4 … of A that lie apart are: an instruction that multiplies repeats memory at no cost only by one register's address
    private static readonly Register[] Even = [A, Register.RDX, Register.R9, Register.RBP, Register.R12, Register.R13, Register.R14];
    private const Register ARow = Register.R15;

    // where rows of A do not lie apart: how far ahead of it B is fetched, if memory holds it
    private const Register BAhead = Register.R15;

    // the tile of C, and the rows of it that are still to be fetched
    private const Register C = Register.RBX, CStep = Register.RSI, Rows = Register.RDI;

    // after k has run
    private const Register Other = Register.R8;

    /// <summary>Steps of k between two tests of the counter.</summary>
    public const int Unroll = 4;

    private readonly MachineCode _code = new(width);

    private int Sums => rows * registers;

    /// <summary>Registers that values of A take turns in.</summary>
    private int Repeats => Math.Min((width == 64 ? 32 : 16) - Sums - registers, 4);

    /// <summary>Assembles one tile.</summary>
    /// <param name="kind">What is multiplied: singles or pairs of bfloat16.</param>
    /// <param name="width">Bytes of a register: 32 or 64.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="registers">Registers of a row: 1 or 2.</param>
    /// <param name="apart">Rows of A lie apart and its steps side by side, and B is packed; else rows lie side by side, and steps of both where the call says.</param>
    /// <param name="inPlace">B is not packed: it comes from memory, and is fetched into the second cache as far ahead as the call says. Not where rows lie apart.</param>
    /// <returns>The code, a function of one pointer to a <see cref="GemmTileCall"/>.</returns>
    public static MachineCode Tile(TileKind kind, int width, int rows, int registers, bool apart, bool inPlace) =>
        new TileAssembler(kind, width, rows, registers, apart, inPlace).Write();

    private MachineCode Write()
    {
        _code.Enter();
        _code.Move(Call, MachineCode.Argument);
        _code.LoadWord(Next, Call, 72);
        ulong panel = _code.NewLabel(), last = _code.NewLabel();
        _code.Bind(panel);
        _code.AtMost(Next, Call, 136);
        _code.LoadWord(C, Call, 40);
        _code.LoadWord(CStep, Call, 48);
        for (int i = 0; i < Sums; i++)
            _code.Zero(i);
        LoadA(0, 8, 80);
        _code.LoadWord(B, Call, 16);
        if (!apart)
            _code.LoadWord(BStep, Call, 24);
        if (inPlace)
            _code.LoadWord(BAhead, Call, 144);
        _code.LoadWord(Steps, Call, 32);

        ulong fetching = _code.NewLabel(), many = _code.NewLabel(), few = _code.NewLabel(), one = _code.NewLabel();
        ulong end = _code.NewLabel(), second = _code.NewLabel(), finish = _code.NewLabel();
        _code.Subtract(Steps, Unroll);
        _code.JumpIfLess(few);
        // the tile of C is wanted when k has run: a row of it is asked for with each turn, since all at once would fill
        // the queue of misses before what the first steps read
        _code.Move(Rows, rows);
        _code.Bind(fetching);
        Advance(Unroll);
        for (int j = 0; j < registers * width; j += 64)
            _code.Prefetch(C, j);
        // a tile that begins inside a line ends in one more
        _code.Prefetch(C, registers * width - 1);
        _code.AddTo(C, CStep);
        _code.PrefetchSecond(Next, 0);
        _code.AddTo(Next, 64);
        _code.Subtract(Steps, Unroll);
        _code.JumpIfLess(few);
        _code.Subtract(Rows, 1);
        _code.JumpIfNotZero(fetching);
        _code.Bind(many);
        Advance(Unroll);
        _code.PrefetchSecond(Next, 0);
        _code.AddTo(Next, 64);
        _code.Subtract(Steps, Unroll);
        _code.JumpIfNotLess(many);
        _code.Bind(few);
        _code.AddTo(Steps, Unroll);
        _code.JumpIfZero(end);
        _code.Bind(one);
        Advance(1);
        _code.Subtract(Steps, 1);
        _code.JumpIfNotZero(one);
        _code.Bind(end);
        _code.LoadWord(Steps, Call, 112);
        _code.Test(Steps);
        _code.JumpIfZero(finish);
        LoadA(88, 96, 104);
        _code.Bind(second);
        Advance(1);
        _code.Subtract(Steps, 1);
        _code.JumpIfNotZero(second);
        _code.Bind(finish);
        Finish(_code, Call, 0, rows, registers, Sums);
        _code.LoadWord(Steps, Call, 120);
        _code.Subtract(Steps, 1);
        _code.JumpIfNotGreater(last);
        _code.StoreWord(Call, 120, Steps);
        MoveOn();
        _code.Jump(panel);
        _code.Bind(last);
        _code.Leave();
        return _code;
    }

    /// <summary>The call becomes that of the tile to the right.</summary>
    private void MoveOn()
    {
        _code.LoadWord(B, Call, 16);
        _code.AddTo(B, Call, 128);
        _code.StoreWord(Call, 16, B);
        _code.LoadWord(C, Call, 40);
        _code.AddTo(C, registers * width);
        _code.StoreWord(Call, 40, C);
        ulong plain = _code.NewLabel();
        _code.LoadWord(Other, Call, 56);
        _code.Test(Other);
        _code.JumpIfZero(plain);
        _code.AddTo(Other, registers * width);
        _code.StoreWord(Call, 56, Other);
        _code.Bind(plain);
    }

    /// <summary>Some steps of k, of which those of rows that lie apart move no pointer but at the end: additions take turns from multiplications.</summary>
    private void Advance(int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            int b = apart ? step * registers * width : 0;
            for (int j = 0; j < registers; j++)
                _code.Load(Sums + j, B, b + j * width);
            for (int j = 0; j < registers * width; j += 64)
            {
                if (inPlace)
                    _code.PrefetchSecond(B, BAhead, j);
                else
                    _code.Prefetch(B, 1024 + b + j);
            }
            for (int i = 0; i < rows; i++)
                Row(i, step);
            if (!apart)
            {
                _code.AddTo(A, AStep);
                _code.AddTo(B, BStep);
            }
        }
        if (!apart)
            return;
        for (int i = 0; i < rows; i += 2)
            _code.AddTo(Even[i / 2], 4 * steps);
        _code.AddTo(B, registers * width * steps);
    }

    /// <summary>Reads the fields of the call that tell where A's rows lie.</summary>
    private void LoadA(int data, int step, int row)
    {
        _code.LoadWord(A, Call, data);
        if (!apart)
        {
            _code.LoadWord(AStep, Call, step);
            return;
        }
        _code.LoadWord(ARow, Call, row);
        for (int i = 2; i < rows; i += 2)
            _code.Address(Even[i / 2], Even[i / 2 - 1], ARow, 2);
    }

    /// <summary>Adds a row of A, some steps ahead, times B's registers to the row's sums.</summary>
    private void Row(int row, int step)
    {
        bool even = row % 2 == 0;
        Register address = apart ? Even[row / 2] : A;
        int offset = apart ? 4 * step : 4 * row, repeated = Sums + registers + row / 2 % Repeats;
        bool multiplies = even && width == 64;
        if (!multiplies)
            _code.Broadcast(repeated, address, apart && !even ? ARow : Register.None, 1, offset);
        for (int j = 0; j < registers; j++)
        {
            int sum = row * registers + j, b = Sums + j;
            switch (kind)
            {
                case TileKind.BF16 when multiplies:
                    _code.DotBF16Repeated(sum, b, address, offset);
                    break;
                case TileKind.BF16:
                    _code.DotBF16(sum, b, repeated);
                    break;
                case TileKind.F32 when multiplies:
                    _code.MultiplyAddRepeated(sum, b, address, offset);
                    break;
                default:
                    _code.MultiplyAdd(sum, b, repeated);
                    break;
            }
        }
    }

    /// <summary>Adds what C held and the bias, where they are wanted, and stores the tile.</summary>
    /// <param name="code">Where to write.</param>
    /// <param name="call">The register that holds the <see cref="GemmTileCall"/>; it keeps it.</param>
    /// <param name="first">Bytes of a row of C before the tile's first column.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="registers">Registers of a row, side by side from the first on.</param>
    /// <param name="spare">A register that is free.</param>
    public static void Finish(MachineCode code, Register call, int first, int rows, int registers, int spare)
    {
        ulong plain = code.NewLabel(), store = code.NewLabel();
        code.LoadWord(CStep, call, 48);
        code.LoadWord(Other, call, 64);
        code.Test(Other);
        code.JumpIfZero(plain);
        code.LoadWord(C, call, 40);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < registers; j++)
                code.Add(i * registers + j, i * registers + j, C, first + j * code.Width);
            code.AddTo(C, CStep);
        }
        code.Bind(plain);
        code.LoadWord(Other, call, 56);
        code.Test(Other);
        code.JumpIfZero(store);
        for (int j = 0; j < registers; j++)
        {
            code.Load(spare, Other, first + j * code.Width);
            for (int i = 0; i < rows; i++)
                code.Add(i * registers + j, i * registers + j, spare);
        }
        code.Bind(store);
        code.LoadWord(C, call, 40);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < registers; j++)
                code.Store(C, first + j * code.Width, i * registers + j);
            code.AddTo(C, CStep);
        }
    }
}
