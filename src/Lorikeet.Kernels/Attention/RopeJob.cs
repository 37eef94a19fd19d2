using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="RopeKernel.Apply"/>.</summary>
internal unsafe struct RopeJob : IVectorJob<RopeJob>
{
    public float* X, Cos, Sin;
    public long Ldx;
    public int Rows, Heads, HeadDim, HalfDim, PartRows;
    public bool Interleaved;
    /// <summary>1, or -1 to turn back.</summary>
    public float Direction;

    /// <inheritdoc/>
    public static void Part<S, V, D>(RopeJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* x = job->X + r * job->Ldx;
            float* cos = job->Cos + (long)r * job->HalfDim;
            float* sin = job->Sin + (long)r * job->HalfDim;
            for (int h = 0; h < job->Heads; h++, x += job->HeadDim)
            {
                if (job->Interleaved)
                    Pairs<S, V, D>(x, cos, sin, job->Direction, job->HalfDim);
                else
                    Halves<S, V, D>(x, cos, sin, job->Direction, job->HalfDim);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halves<S, V, D>(float* x, float* cos, float* sin, float direction, int half)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int i = 0;
        for (; i <= half - S.Count; i += S.Count)
            Half<S, V, D>(x + i, x + i + half, cos + i, sin + i, direction);
        for (; S.Count > 1 && i < half; i++)
            Half<SimdScalar, float, double>(x + i, x + i + half, cos + i, sin + i, direction);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Half<S, V, D>(float* x, float* y, float* cos, float* sin, float direction)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V a = S.Load(x), b = S.Load(y), c = S.Load(cos), s = S.Mul(S.Load(sin), S.Create(direction));
        S.Store(x, S.Fnma(b, s, S.Mul(a, c)));
        S.Store(y, S.Fma(a, s, S.Mul(b, c)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pairs<S, V, D>(float* x, float* cos, float* sin, float direction, int half)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int i = 0;
        if (S.Count > 1)
        {
            V signs = S.Mul(S.PairSigns(), S.Create(direction));
            for (; i <= half - S.Count / 2; i += S.Count / 2)
            {
                V pair = S.Load(x + 2 * i), s = S.Mul(S.LoadPaired(sin + i), signs);
                S.Store(x + 2 * i, S.Fma(S.SwapPairs(pair), s, S.Mul(pair, S.LoadPaired(cos + i))));
            }
        }
        for (; i < half; i++)
            Half<SimdScalar, float, double>(x + 2 * i, x + 2 * i + 1, cos + i, sin + i, direction);
    }
}
