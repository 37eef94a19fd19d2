using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Writes the innermost loop of a product of bytes with weights whose rows have one scale: integer dots of a tile of C through each group of
/// <see cref="PanelLayout.RowTerms"/> terms, which then become singles and are added with the scale of the row's activations to sums in memory; where
/// a row's last terms were among them, the columns' scales follow and the sums go to C.
/// </summary>
internal static class ByteTileAssembler
{
    private const Register Call = Register.R11, A = Register.RAX, B = Register.R8, Steps = Register.R10, Inner = Register.RDX, Next = Register.RCX;
    private const Register Sums = Register.R9;

    // the tile of C, and the rows of it that are still to be fetched; the same of sums, two rows at once
    private const Register C = Register.RBX, CStep = Register.RSI, Rows = Register.RDI;
    private const Register Pair = Register.R12, Pairs = Register.R13;

    /// <summary>Steps of k between two tests of the counter: each block of stored weights is a multiple.</summary>
    private const int Unroll = 4;

    /// <summary>Bytes of <see cref="GemmTileCall.Next"/> that a tile fetches with each step.</summary>
    public const int FetchedByStep = 64 / Unroll;

    /// <summary>Bytes from one row of A to the next.</summary>
    private static int Row => QuantizedStrips.Pitch(byRows: true);

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
        code.LoadWord(Next, Call, 72);
        code.LoadWord(Sums, Call, ByteTileCall.SumsAt);
        code.LoadWord(C, Call, 40);
        code.LoadWord(CStep, Call, 48);
        ulong group = code.NewLabel(), whole = code.NewLabel(), turn = code.NewLabel(), end = code.NewLabel();
        ulong notFirst = code.NewLabel(), notLast = code.NewLabel(), fetchedPairs = code.NewLabel(), fetched = code.NewLabel();
        code.Move(Pair, Sums);
        code.Move(Pairs, (rows + 1) / 2);
        code.LoadWord(Inner, Call, ByteTileCall.FirstAt);
        code.Test(Inner);
        code.JumpIfZero(notFirst);
        code.Move(Pairs, 0);
        code.Zero(0);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < 2; j++)
                code.Store(Sums, i * Step + first + j * code.Width, 0);
        }
        code.Bind(notFirst);
        code.Move(Rows, 0);
        code.LoadWord(Inner, Call, ByteTileCall.LastAt);
        code.Test(Inner);
        code.JumpIfZero(notLast);
        code.Move(Rows, rows);
        code.Bind(notLast);
        code.Bind(group);
        code.Move(Inner, PanelLayout.RowTerms / 4);
        code.Subtract(Steps, PanelLayout.RowTerms / 4);
        code.JumpIfNotLess(whole);
        code.AddTo(Inner, Steps);
        code.Bind(whole);
        for (int i = 0; i < rows; i++)
        {
            code.Broadcast(2 * i, A, Row * i);
            code.Load(2 * i + 1, 2 * i);
        }
        code.AddTo(A, 4);

        code.Bind(turn);
        for (int step = 0; step < Unroll; step++)
            Dots(code, rows, first, step);
        code.AddTo(A, 4 * Unroll);
        code.AddTo(B, Step * Unroll);
        code.PrefetchSecond(Next, 0);
        code.AddTo(Next, 64);
        // sums are wanted when a group ends, and the tile of C when k has run: some of them are asked for with each turn,
        // since all at once would fill the queue of misses before what the first steps read
        code.Subtract(Pairs, 1);
        code.JumpIfLess(fetchedPairs);
        for (int row = 0; row < 2; row++)
        {
            for (int j = 0; j < 2 * code.Width; j += 64)
                code.Prefetch(Pair, row * Step + first + j);
        }
        code.AddTo(Pair, 2 * Step);
        code.Bind(fetchedPairs);
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
            code.Broadcast(repeat + i % 2, A, Row * i);
            for (int j = 0; j < 2; j++)
            {
                int sum = 2 * i + j;
                code.ToSingle(sum, sum);
                code.MultiplyAdd(sum, repeat + i % 2, Sums, i * Step + first + j * code.Width);
                code.Store(Sums, i * Step + first + j * code.Width, sum);
            }
        }
        code.AddTo(A, 4);
        code.Test(Steps);
        code.JumpIfGreater(group);

        code.LoadWord(Inner, Call, ByteTileCall.LastAt);
        code.Test(Inner);
        code.JumpIfZero(end);
        for (int j = 0; j < 2; j++)
            code.Load(sums + j, B, first + j * code.Width);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < 2; j++)
            {
                code.Load(2 * i + j, Sums, i * Step + first + j * code.Width);
                code.Multiply(2 * i + j, 2 * i + j, sums + j);
            }
        }
        TileAssembler.Finish(code, Call, first, rows, 2, sums);
        code.Bind(end);
    }

    private static void Dots(MachineCode code, int rows, int first, int step)
    {
        int codes = 2 * rows;
        for (int j = 0; j < 2; j++)
            code.Load(codes + j, B, Step * step + first + j * code.Width);
        for (int i = 0; i < rows; i++)
        {
            // three of four rows are repeated by the dots themselves, two operations in place of three: what counts while another thread uses the
            // same core. All of them would read too often
            bool itself = code.Width == 64 && i % 4 != 1;
            int repeat = codes + 2 + i / 4 % 2, x = Row * i + 4 * step;
            if (!itself)
                code.Broadcast(repeat, A, x);
            for (int j = 0; j < 2; j++)
            {
                if (itself)
                    code.DotBytesRepeated(2 * i + j, codes + j, A, x);
                else
                    code.DotBytes(2 * i + j, codes + j, repeat);
            }
        }
    }
}
