using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Writes the innermost loop of a product of bytes with weights whose rows have one scale: integer dots of a tile of C through each group of
/// <see cref="PanelLayout.RowTerms"/> terms, which then become singles and are added with the scale of the row's activations; after the last
/// group the columns' scales follow.
/// </summary>
internal static class ByteTileAssembler
{
    private const Register Call = Register.R11, A = Register.RAX, B = Register.R8, Steps = Register.R10, Inner = Register.RDX, Next = Register.RCX;

    // the tile of C, and the rows of it that are still to be fetched
    private const Register C = Register.RBX, CStep = Register.RSI, Rows = Register.RDI;

    /// <summary>Steps of k between two tests of the counter: each block of stored weights is a multiple.</summary>
    private const int Unroll = 4;

    /// <summary>Bytes of <see cref="GemmTileCall.Next"/> that a tile fetches with each step.</summary>
    public const int FetchedByStep = 64 / Unroll;

    /// <summary>Bytes of a step of B's panel.</summary>
    private const int Step = 4 * PanelLayout.Columns;

    /// <summary>Rows of the highest tile: its integers and what it multiplies stay in registers.</summary>
    public static int MaxRows(int width) => width == 64 ? 14 : 6;

    /// <summary>Assembles one tile, 32 columns broad.</summary>
    /// <param name="width">Bytes of a register: 32 or 64.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <returns>The code, a function of one pointer to a <see cref="ByteTileCall"/>.</returns>
    public static MachineCode Tile(int width, int rows)
    {
        MachineCode code = new(width);
        code.Enter();
        code.Move(Call, MachineCode.Argument);
        for (int first = 0; first < Step; first += 2 * width)
            Columns(code, rows, first);
        code.Leave();
        return code;
    }

    /// <summary>The columns whose words begin so many bytes into a step, in two registers for each row.</summary>
    private static void Columns(MachineCode code, int rows, int first)
    {
        int sums = 2 * rows, repeat = sums + 2;
        code.LoadWord(A, Call, 0);
        code.LoadWord(B, Call, 16);
        code.LoadWord(Steps, Call, 32);
        code.LoadWord(C, Call, 40);
        code.LoadWord(CStep, Call, 48);
        code.LoadWord(Next, Call, 72);
        code.Move(Rows, rows);
        code.Zero(0);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < 2; j++)
                code.Store(Call, SumAt(code, i, j), 0);
        }
        ulong group = code.NewLabel(), whole = code.NewLabel(), turn = code.NewLabel(), fetched = code.NewLabel();
        code.Bind(group);
        code.Move(Inner, PanelLayout.RowTerms / 4);
        code.Subtract(Steps, PanelLayout.RowTerms / 4);
        code.JumpIfNotLess(whole);
        code.AddTo(Inner, Steps);
        code.Bind(whole);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < 2; j++)
            {
                if (i == 0)
                    code.Load(j, B, first + j * code.Width);
                else
                    code.Load(2 * i + j, j);
            }
        }
        code.AddTo(B, Step);

        code.Bind(turn);
        for (int step = 0; step < Unroll; step++)
            Dots(code, rows, first, step);
        code.AddTo(A, 4 * Unroll * rows);
        code.AddTo(B, Step * Unroll);
        code.PrefetchSecond(Next, 0);
        code.AddTo(Next, 64);
        // the tile of C is wanted when k has run: a row of it is asked for with each turn, since all at once would fill
        // the queue of misses before what the first steps read
        code.Subtract(Rows, 1);
        code.JumpIfLess(fetched);
        for (int j = 0; j < 2 * code.Width; j += 64)
            code.Prefetch(C, first + j);
        code.Prefetch(C, first + 2 * code.Width - 1);
        code.AddTo(C, CStep);
        code.Bind(fetched);
        code.Subtract(Inner, Unroll);
        code.JumpIfNotZero(turn);

        for (int i = 0; i < rows; i++)
        {
            code.Broadcast(repeat + i % 2, A, 4 * i);
            for (int j = 0; j < 2; j++)
            {
                int sum = 2 * i + j;
                code.ToSingle(sum, sum);
                code.MultiplyAdd(sum, repeat + i % 2, Call, SumAt(code, i, j));
                code.Store(Call, SumAt(code, i, j), sum);
            }
        }
        code.AddTo(A, 4 * rows);
        code.Test(Steps);
        code.JumpIfGreater(group);

        for (int j = 0; j < 2; j++)
            code.Load(sums + j, B, first + j * code.Width);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < 2; j++)
            {
                code.Load(2 * i + j, Call, SumAt(code, i, j));
                code.Multiply(2 * i + j, 2 * i + j, sums + j);
            }
        }
        TileAssembler.Finish(code, Call, first, rows, 2, sums);
    }

    private static void Dots(MachineCode code, int rows, int first, int step)
    {
        int codes = 2 * rows;
        for (int j = 0; j < 2; j++)
            code.Load(codes + j, B, Step * step + first + j * code.Width);
        for (int j = 0; j < 2 * code.Width; j += 64)
            code.Prefetch(B, Step * step + first + j + 1024);
        code.Prefetch(A, 4 * rows * step + 512);
        for (int i = 0; i < rows; i++)
        {
            int repeat = codes + 2 + i % 2;
            code.Broadcast(repeat, A, 4 * (rows * step + i));
            for (int j = 0; j < 2; j++)
                code.DotBytes(2 * i + j, repeat, codes + j);
        }
    }

    private static int SumAt(MachineCode code, int row, int register) => ByteTileCall.SumsAt + (2 * row + register) * code.Width;
}
