using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 ternary weights in 54 bytes: 48 bytes of five trits and 4 bytes of four, f16 scale <c>d</c>. <c>w = d * (trit - 1)</c>.
/// A byte is the fraction 0.t0t1t2t3t4 in base three, scaled to 256 and rounded up: times 3ⁿ modulo 256 brings trit n to the front.
/// </summary>
internal static unsafe class TQ1_0
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 54, y += 256)
        {
            float d = F16.ToSingle(*(ushort*)(block + 52));
            Vector128<byte> first = Vector128.Load(block), second = Vector128.Load(block + 16), third = Vector128.Load(block + 32);
            for (int trit = 0; trit < 5; trit++)
            {
                Codes.Scale(FrontTrit(first), d, y + 32 * trit);
                Codes.Scale(FrontTrit(second), d, y + 32 * trit + 16);
                Codes.Scale(FrontTrit(third), d, y + 160 + 16 * trit);
                first = Triple(first);
                second = Triple(second);
                third = Triple(third);
            }
            // the last 16 weights: trits 0–3 of four bytes, one trit of all four after the other
            Vector128<byte> last = Vector128.Create(*(uint*)(block + 48)).AsByte();
            Vector128<byte> twice = Triple(last), thrice = Triple(twice), fourth = Triple(thrice);
            Vector128<uint> gathered = Vector128.Create(last.AsUInt32()[0], twice.AsUInt32()[0], thrice.AsUInt32()[0], fourth.AsUInt32()[0]);
            Codes.Scale(FrontTrit(gathered.AsByte()), d, y + 240);
        }
    }

    private static Vector128<byte> Triple(Vector128<byte> x) => x + x + x;

    /// <summary><c>(3 * x >> 8) - 1</c>: 1 is reached at 86, 2 at 171.</summary>
    private static Vector128<sbyte> FrontTrit(Vector128<byte> x)
    {
        Vector128<byte> reached = Vector128.GreaterThanOrEqual(x, Vector128.Create((byte)86)) + Vector128.GreaterThanOrEqual(x, Vector128.Create((byte)171));
        return Vector128<sbyte>.AllBitsSet - reached.AsSByte();
    }

    /// <summary>Packs whole blocks, to the same bytes as ggml's scalar code.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        byte* codes = stackalloc byte[256];
        for (long b = 0; b < blocks; b++, block += 54, x += 256)
        {
            *(ushort*)(block + 52) = TQ2_0.Encode(x, codes);
            for (int i = 0; i < 32; i++)
                block[i] = Pack(codes + i, 32, 5);
            for (int i = 0; i < 16; i++)
                block[32 + i] = Pack(codes + 160 + i, 16, 5);
            for (int i = 0; i < 4; i++)
                block[48 + i] = Pack(codes + 240 + i, 4, 4);
        }
    }

    private static byte Pack(byte* codes, int step, int trits)
    {
        int fraction = 0;
        for (int trit = 0; trit < 5; trit++)
            fraction = 3 * fraction + (trit < trits ? codes[trit * step] : 0);
        return (byte)((256 * fraction + 242) / 243);
    }
}
