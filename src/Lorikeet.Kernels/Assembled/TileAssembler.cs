using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Writes the innermost loop of a product: a tile of C stays in registers while k runs. Each step loads one or two registers of B's panel and adds
/// the outer product with the tile's rows of A, four bytes of each row repeated through a register: one single or two bfloat16.
/// </summary>
internal static class TileAssembler
{
    // arguments, and what they are loaded into while k runs
    private const Register Call = Register.R11, A = Register.RAX, AStep = Register.RDX, B = Register.R8, BStep = Register.R9, Steps = Register.R10, Next = Register.RCX;

    // the tile of C, and the rows of it that are still to be fetched
    private const Register C = Register.RBX, CStep = Register.RSI, Rows = Register.RDI;

    // after k has run
    private const Register Other = Register.R8;

    /// <summary>Steps of k between two tests of the counter.</summary>
    public const int Unroll = 4;

    /// <summary>Assembles one tile.</summary>
    /// <param name="kind">What is multiplied: singles or pairs of bfloat16.</param>
    /// <param name="width">Bytes of a register: 32 or 64.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="registers">Registers of a row: 1 or 2.</param>
    /// <returns>The code, a function of one pointer to a <see cref="GemmTileCall"/>.</returns>
    public static MachineCode Tile(TileKind kind, int width, int rows, int registers)
    {
        MachineCode code = new(width);
        int sums = rows * registers, spare = (width == 64 ? 32 : 16) - sums;
        code.Enter();
        code.Move(Call, MachineCode.Argument);
        code.LoadWord(C, Call, 40);
        code.LoadWord(CStep, Call, 48);
        for (int i = 0; i < sums; i++)
            code.Zero(i);
        code.LoadWord(A, Call, 0);
        code.LoadWord(AStep, Call, 8);
        code.LoadWord(B, Call, 16);
        code.LoadWord(BStep, Call, 24);
        code.LoadWord(Steps, Call, 32);
        code.LoadWord(Next, Call, 72);

        ulong fetching = code.NewLabel(), many = code.NewLabel(), few = code.NewLabel(), one = code.NewLabel(), end = code.NewLabel();
        code.Subtract(Steps, Unroll);
        code.JumpIfLess(few);
        // the tile of C is wanted when k has run: a row of it is asked for with each turn, since all at once would fill
        // the queue of misses before what the first steps read
        code.Set(Rows, rows);
        code.Bind(fetching);
        for (int step = 0; step < Unroll; step++)
            Step(code, kind, rows, registers, sums, spare);
        for (int j = 0; j < registers * width; j += 64)
            code.Prefetch(C, j);
        // a tile that begins inside a line ends in one more
        code.Prefetch(C, registers * width - 1);
        code.AddTo(C, CStep);
        code.PrefetchSecond(Next, 0);
        code.AddTo(Next, 64);
        code.Subtract(Steps, Unroll);
        code.JumpIfLess(few);
        code.Subtract(Rows, 1);
        code.JumpIfNotZero(fetching);
        code.Bind(many);
        for (int step = 0; step < Unroll; step++)
            Step(code, kind, rows, registers, sums, spare);
        code.PrefetchSecond(Next, 0);
        code.AddTo(Next, 64);
        code.Subtract(Steps, Unroll);
        code.JumpIfNotLess(many);
        code.Bind(few);
        code.AddTo(Steps, Unroll);
        code.JumpIfZero(end);
        code.Bind(one);
        Step(code, kind, rows, registers, sums, spare);
        code.Subtract(Steps, 1);
        code.JumpIfNotZero(one);
        code.Bind(end);
        Finish(code, Call, 0, rows, registers, sums);
        code.Leave();
        return code;
    }

    private static void Step(MachineCode code, TileKind kind, int rows, int registers, int sums, int spare)
    {
        for (int j = 0; j < registers; j++)
            code.Load(sums + j, B, j * code.Width);
        code.Prefetch(B, 1024);
        if (registers * code.Width > 64)
            code.Prefetch(B, 1024 + 64);
        int repeats = Math.Min(spare - registers, 4);
        for (int i = 0; i < rows; i++)
        {
            int x = sums + registers + i % repeats;
            code.Broadcast(x, A, 4 * i);
            for (int j = 0; j < registers; j++)
            {
                int sum = i * registers + j, y = sums + j;
                if (kind == TileKind.BF16)
                    code.DotBF16(sum, y, x);
                else
                    code.MultiplyAdd(sum, y, x);
            }
        }
        code.AddTo(A, AStep);
        code.AddTo(B, BStep);
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
