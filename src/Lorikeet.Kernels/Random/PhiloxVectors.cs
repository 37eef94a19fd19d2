using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// Philox blocks side by side, one to a 64-bit lane. Only the lower half of a lane counts: multiplication reads no more, so the products' upper
/// halves may stay where they are.
/// </summary>
internal static unsafe class PhiloxVectors
{
    /// <summary>Writes the words of the blocks <c>counter .. counter + blocks - 1</c>, four each, in the widest vectors up to <paramref name="lanes"/> floats.</summary>
    public static void Fill(ulong seed, ulong counter, uint* words, int blocks, int lanes)
    {
        int done = 0;
        if (lanes >= 16 && Avx512F.IsSupported)
            done = Fill8(seed, counter, words, blocks);
        else if (lanes >= 8 && Avx2.IsSupported)
            done = Fill4(seed, counter, words, blocks);
        for (; done < blocks; done++)
        {
            (uint x0, uint x1, uint x2, uint x3) = Philox.Block(seed, counter + (ulong)done, 0);
            (words[4 * done], words[4 * done + 1], words[4 * done + 2], words[4 * done + 3]) = (x0, x1, x2, x3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Fill8(ulong seed, ulong counter, uint* words, int blocks)
    {
        Vector512<uint> m0 = Vector512.Create((ulong)Philox.M0).AsUInt32(), m1 = Vector512.Create((ulong)Philox.M1).AsUInt32();
        // unpacking takes even lanes, then odd ones: in this order of counters the words come out in theirs
        Vector512<ulong> lane = Vector512.Create(0ul, 4, 1, 5, 2, 6, 3, 7);
        int done = 0;
        for (; done <= blocks - 8; done += 8)
        {
            Vector512<ulong> x0 = Vector512.Create(counter + (ulong)done) + lane, x1 = x0 >> 32, x2 = Vector512<ulong>.Zero, x3 = x2;
            uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
            for (int round = 0; round < 10; round++)
            {
                Vector512<ulong> p0 = Avx512F.Multiply(x0.AsUInt32(), m0), p1 = Avx512F.Multiply(x2.AsUInt32(), m1);
                x0 = (p1 >> 32) ^ x1 ^ Vector512.Create((ulong)k0);
                x2 = (p0 >> 32) ^ x3 ^ Vector512.Create((ulong)k1);
                (x1, x3) = (p1, p0);
                k0 += Philox.W0;
                k1 += Philox.W1;
            }
            Vector512<ulong> low = Vector512.Create((ulong)uint.MaxValue);
            Vector512<ulong> a = (x0 & low) | (x1 << 32), b = (x2 & low) | (x3 << 32);
            Avx512F.UnpackLow(a, b).Store((ulong*)(words + 4 * done));
            Avx512F.UnpackHigh(a, b).Store((ulong*)(words + 4 * done + 16));
        }
        return done;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Fill4(ulong seed, ulong counter, uint* words, int blocks)
    {
        Vector256<uint> m0 = Vector256.Create((ulong)Philox.M0).AsUInt32(), m1 = Vector256.Create((ulong)Philox.M1).AsUInt32();
        Vector256<ulong> lane = Vector256.Create(0ul, 2, 1, 3);
        int done = 0;
        for (; done <= blocks - 4; done += 4)
        {
            Vector256<ulong> x0 = Vector256.Create(counter + (ulong)done) + lane, x1 = x0 >> 32, x2 = Vector256<ulong>.Zero, x3 = x2;
            uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
            for (int round = 0; round < 10; round++)
            {
                Vector256<ulong> p0 = Avx2.Multiply(x0.AsUInt32(), m0), p1 = Avx2.Multiply(x2.AsUInt32(), m1);
                x0 = (p1 >> 32) ^ x1 ^ Vector256.Create((ulong)k0);
                x2 = (p0 >> 32) ^ x3 ^ Vector256.Create((ulong)k1);
                (x1, x3) = (p1, p0);
                k0 += Philox.W0;
                k1 += Philox.W1;
            }
            Vector256<ulong> low = Vector256.Create((ulong)uint.MaxValue);
            Vector256<ulong> a = (x0 & low) | (x1 << 32), b = (x2 & low) | (x3 << 32);
            Avx2.UnpackLow(a, b).Store((ulong*)(words + 4 * done));
            Avx2.UnpackHigh(a, b).Store((ulong*)(words + 4 * done + 8));
        }
        return done;
    }
}
