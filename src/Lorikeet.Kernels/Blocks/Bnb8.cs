using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>The 8-bit weights of bitsandbytes (LLM.int8), as its files keep them: signed codes and the largest magnitude of each row.</summary>
public static unsafe class Bnb8
{
    /// <summary>The least magnitude that f16 rounds to infinity.</summary>
    private const float BeyondHalf = 65520;

    /// <summary>
    /// Rounds rows to f16, where they lie, and quantises them: <c>q = round(x * ((1 / m) * 127))</c>, ties to even. A row with numbers beyond f16 is quantised as it is.
    /// </summary>
    /// <param name="x"><c>[rows, columns]</c>.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="codes">Receives <c>[rows, columns]</c>.</param>
    /// <param name="magnitudes">Receives <c>[rows]</c>.</param>
    public static void Quantize(float* x, int rows, int columns, sbyte* codes, float* magnitudes)
    {
        Work work = new() { X = x, Columns = columns, Codes = codes, Magnitudes = magnitudes };
        ComputePool.Run(&Row, &work, rows);
    }

    private struct Work
    {
        public float* X, Magnitudes;
        public sbyte* Codes;
        public int Columns;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(void* context, int row)
    {
        Work* work = (Work*)context;
        int columns = work->Columns;
        float* x = work->X + (long)row * columns;
        sbyte* q = work->Codes + (long)row * columns;
        float magnitude = Largest(x, columns);
        if (magnitude < BeyondHalf)
        {
            for (int i = 0; i < columns; i++)
                x[i] = (float)(Half)x[i];
            magnitude = (float)(Half)magnitude;
        }
        float scale = magnitude == 0 ? 0 : 1 / magnitude * 127;
        for (int i = 0; i < columns; i++)
            q[i] = (sbyte)MathF.Round(x[i] * scale);
        work->Magnitudes[row] = magnitude;
    }

    private static float Largest(float* x, int columns)
    {
        float magnitude = 0;
        for (int i = 0; i < columns; i++)
            magnitude = MathF.Max(magnitude, MathF.Abs(x[i]));
        return magnitude;
    }
}
