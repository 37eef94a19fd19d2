using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>Results of a product that was computed as its transpose.</summary>
internal static unsafe class GemmTurn
{
    /// <summary>Rows of c ahead whose lines are fetched: they lie too far apart for the processor to follow.</summary>
    private const int Ahead = 8;

    /// <summary>
    /// <c>c[j, i] = from[i, j] + (accumulate ? c[j, i] : 0) + bias[i]</c>. Needs AVX, as the tiles do that make such results.
    /// </summary>
    /// <param name="from"><c>[rows, columns]</c>, readable up to whole squares of 8 × 8.</param>
    /// <param name="pitch">Elements from one of its rows to the next.</param>
    /// <param name="rows">Rows of it, columns of c.</param>
    /// <param name="columns">Columns of it, rows of c.</param>
    /// <param name="c"><c>[columns, rows]</c>.</param>
    /// <param name="stride">Elements from one row of c to the next.</param>
    /// <param name="bias"><c>[rows]</c>, or null.</param>
    /// <param name="accumulate">Adds to what c holds.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization), SkipLocalsInit]
    public static void Store(float* from, int pitch, int rows, int columns, float* c, long stride, float* bias, bool accumulate)
    {
        float* square = stackalloc float[64];
        // along a row of c, so that its lines are written whole
        for (int j = 0; j < columns; j += 8, from += 8, c += 8 * stride)
        {
            int across = Math.Min(8, columns - j);
            for (int i = 0; i < rows; i += 8)
            {
                if ((i & 8) == 0 && j + Ahead + 8 <= columns)
                {
                    for (int r = Ahead; r < Ahead + 8; r++)
                        Sse.Prefetch1(c + r * stride + i);
                }
                int along = Math.Min(8, rows - i);
                if (along == 8 && across == 8 && !accumulate && bias == null)
                {
                    Turn(from + (nint)i * pitch, pitch, c + i, (nint)stride);
                    continue;
                }
                Turn(from + (nint)i * pitch, pitch, square, 8);
                for (int r = 0; r < across; r++)
                {
                    float* to = c + r * stride + i;
                    if (along == 8)
                    {
                        Vector256<float> x = Vector256.Load(square + 8 * r);
                        if (accumulate)
                            x += Vector256.Load(to);
                        if (bias != null)
                            x += Vector256.Load(bias + i);
                        x.Store(to);
                        continue;
                    }
                    for (int q = 0; q < along; q++)
                    {
                        float x = square[8 * r + q];
                        if (accumulate)
                            x += to[q];
                        to[q] = bias == null ? x : x + bias[i + q];
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(float* from, nint pitch, float* to, nint stride)
        => Square.Turn(
            Vector256.Load(from), Vector256.Load(from + pitch), Vector256.Load(from + 2 * pitch), Vector256.Load(from + 3 * pitch),
            Vector256.Load(from + 4 * pitch), Vector256.Load(from + 5 * pitch), Vector256.Load(from + 6 * pitch), Vector256.Load(from + 7 * pitch),
            to, stride);
}
