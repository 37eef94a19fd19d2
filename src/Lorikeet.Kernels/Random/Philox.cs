namespace Lorikeet.Kernels;

/// <summary>
/// Philox4x32-10: four random words from a 128-bit counter and a 64-bit key, no state. Salmon, Moraes, Dror and Shaw 2011 (Random123).
/// </summary>
internal static class Philox
{
    /// <summary>First multiplier.</summary>
    public const uint M0 = 0xD2511F53;
    /// <summary>Second multiplier.</summary>
    public const uint M1 = 0xCD9E8D57;
    /// <summary>First key step (golden ratio).</summary>
    public const uint W0 = 0x9E3779B9;
    /// <summary>Second key step (square root of 3, less 1).</summary>
    public const uint W1 = 0xBB67AE85;

    /// <summary>One block of four words.</summary>
    public static (uint X0, uint X1, uint X2, uint X3) Block(ulong seed, ulong counterLow, ulong counterHigh)
    {
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        uint x0 = (uint)counterLow, x1 = (uint)(counterLow >> 32), x2 = (uint)counterHigh, x3 = (uint)(counterHigh >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)M0 * x0, p1 = (ulong)M1 * x2;
            (x0, x1, x2, x3) = ((uint)(p1 >> 32) ^ x1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ x3 ^ k1, (uint)p0);
            k0 += W0;
            k1 += W1;
        }
        return (x0, x1, x2, x3);
    }

    /// <summary>A number in [0, 1) from the upper 24 bits of a word.</summary>
    public static float Unit(uint word) => (word >> 8) * (1f / (1 << 24));
}
