using Iced.Intel;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Writes the innermost loop of a product of quantised factors: for each group of terms that share scales, integer dots of a tile of C, which then
/// become singles and are added with the product of the row's and the column's scale (AVX512-VNNI).
/// </summary>
internal static class QuantizedTileAssembler
{
    /// <summary>The highest tile: its integers, its singles and what it multiplies all stay in registers.</summary>
    public const int MaxRows = 6;

    private const Register Call = Register.R11, A = Register.RAX, B = Register.R8, Groups = Register.R10, C = Register.RAX, CStep = Register.RDX;
    private const int Width = 64, Left = 24, Right = 26, Repeat = 28, Factor = 30;

    /// <summary>Bytes of a group of A's strip: codes, then a start, a scale and a total of each row.</summary>
    public static int StripBytes(int rows, int steps) => rows * 4 * (steps + 3);

    /// <summary>Bytes of a group of B's panel of 32 columns: codes, then a scale of each column, then a minimum where the format has one.</summary>
    public static int PanelBytes(int steps, bool minimum) => 2 * Width * (steps + (minimum ? 2 : 1));

    /// <summary>Assembles one tile, 32 columns broad.</summary>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="steps">Fours of terms that share a scale: 8 or 4.</param>
    /// <param name="minimum">Takes away the column's minimum times the row's total; without it, sums begin with the row's start.</param>
    /// <returns>The code, a function of one pointer to a <see cref="GemmTileCall"/> whose steps are groups.</returns>
    public static MachineCode Tile(int rows, int steps, bool minimum)
    {
        MachineCode code = new(Width);
        int sums = 2 * rows;
        code.Enter();
        code.Move(Call, MachineCode.Argument);
        code.LoadWord(C, Call, 40);
        code.LoadWord(CStep, Call, 48);
        for (int i = 0; i < rows; i++)
        {
            code.Prefetch(C, 0);
            code.Prefetch(C, Width);
            code.Prefetch(C, 2 * Width - 1);
            code.AddTo(C, CStep);
        }
        for (int i = 0; i < sums; i++)
            code.Zero(i);
        code.LoadWord(A, Call, 0);
        code.LoadWord(B, Call, 16);
        code.LoadWord(Groups, Call, 32);
        ulong group = code.NewLabel();
        code.Bind(group);
        for (int i = 0; i < sums; i++)
        {
            if (minimum)
                code.Zero(12 + i);
            else
                code.Broadcast(12 + i, A, 4 * (steps * rows + i / 2));
        }
        for (int step = 0; step < steps; step++)
        {
            // two pairs of registers by turns, so that loads run ahead
            int left = Left + step % 2;
            int right = Right + step % 2;
            code.Load(left, B, 2 * Width * step);
            code.Load(right, B, 2 * Width * step + Width);
            for (int i = 0; i < rows; i++)
            {
                int x = Repeat + i % 2;
                code.Broadcast(x, A, 4 * (step * rows + i));
                code.DotBytes(12 + 2 * i, left, x);
                code.DotBytes(12 + 2 * i + 1, right, x);
            }
        }
        code.Load(Left, B, 2 * Width * steps);
        code.Load(Right, B, 2 * Width * steps + Width);
        for (int i = 0; i < rows; i++)
        {
            code.Broadcast(Repeat, A, 4 * ((steps + 1) * rows + i));
            code.ToSingle(12 + 2 * i, 12 + 2 * i);
            code.ToSingle(12 + 2 * i + 1, 12 + 2 * i + 1);
            code.Multiply(Factor, Left, Repeat);
            code.Multiply(Factor + 1, Right, Repeat);
            code.MultiplyAdd(2 * i, 12 + 2 * i, Factor);
            code.MultiplyAdd(2 * i + 1, 12 + 2 * i + 1, Factor + 1);
        }
        if (minimum)
        {
            code.Load(Left, B, 2 * Width * (steps + 1));
            code.Load(Right, B, 2 * Width * (steps + 1) + Width);
            for (int i = 0; i < rows; i++)
            {
                code.Broadcast(Repeat, A, 4 * ((steps + 2) * rows + i));
                code.MultiplySubtract(2 * i, Left, Repeat);
                code.MultiplySubtract(2 * i + 1, Right, Repeat);
            }
        }
        code.AddTo(A, StripBytes(rows, steps));
        code.AddTo(B, PanelBytes(steps, minimum));
        code.Subtract(Groups, 1);
        code.JumpIfNotZero(group);
        TileAssembler.Finish(code, Call, rows, 2, sums);
        code.Leave();
        return code;
    }
}
