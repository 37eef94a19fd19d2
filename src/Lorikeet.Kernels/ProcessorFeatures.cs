using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Lorikeet.Kernels;

/// <summary>
/// What the processor says of itself, as far as kernels ask. Features that .NET has no intrinsics for count only where .NET uses the registers
/// they work on: then the system saves those registers, and switching them off switches off what builds on them.
/// </summary>
public static class ProcessorFeatures
{
    /// <summary>256-bit vectors with fused multiply-add.</summary>
    public static bool Avx2 { get; } = System.Runtime.Intrinsics.X86.Avx2.IsSupported && Fma.IsSupported;

    /// <summary>512-bit vectors.</summary>
    public static bool Avx512 { get; } = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && System.Runtime.Intrinsics.Vector512.IsHardwareAccelerated;

    /// <summary>Dot products of bfloat16 pairs in 512-bit vectors.</summary>
    public static bool Avx512BF16 { get; } = Avx512 && (Leaf7(1).Eax >> 5 & 1) != 0;

    /// <summary>Dot products of bytes in 512-bit vectors.</summary>
    public static bool Avx512Vnni { get; } = Avx512 && (Leaf7(0).Ecx >> 11 & 1) != 0;

    /// <summary>Dot products of bytes in 256-bit vectors.</summary>
    public static bool AvxVnni { get; } = Avx2 && (Leaf7(1).Eax >> 4 & 1) != 0;

    /// <summary>Bytes of a core's second-level cache; 1 MB where the processor does not say.</summary>
    public static int SecondCacheBytes { get; } = ReadSecondCache();

    /// <summary>The processor's name, or its architecture where it has none.</summary>
    public static string Name { get; } = ReadName();

    /// <summary>Tells models apart that may differ in speed: vendor, family, model and stepping.</summary>
    public static string Model { get; } = ReadModel();

    /// <summary>The features that kernels ask for, as bits: what is switched off for one process must not count for the next.</summary>
    internal static int Bits => (Avx2 ? 1 : 0) | (Avx512 ? 2 : 0) | (Avx512BF16 ? 4 : 0) | (Avx512Vnni ? 8 : 0) | (AvxVnni ? 16 : 0);

    /// <summary>Names of the features that are there.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
        .. new (string Name, bool Has)[]
        {
            ("avx2", System.Runtime.Intrinsics.X86.Avx2.IsSupported), ("fma", Fma.IsSupported), ("avx512", Avx512), ("avx512-bf16", Avx512BF16),
            ("avx512-vnni", Avx512Vnni), ("avx-vnni", AvxVnni),
        }.Where(feature => feature.Has).Select(feature => feature.Name),
    ];

    private static (int Eax, int Ecx) Leaf7(int subleaf)
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7 || X86Base.CpuId(7, 0).Eax < subleaf)
            return (0, 0);
        (int eax, _, int ecx, _) = X86Base.CpuId(7, subleaf);
        return (eax, ecx);
    }

    private static int ReadSecondCache()
    {
        const int leaf = unchecked((int)0x80000006), least = 1 << 18, usual = 1 << 20;
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < unchecked((uint)leaf))
            return usual;
        int bytes = (X86Base.CpuId(leaf, 0).Ecx >>> 16) << 10;
        return bytes < least ? usual : bytes;
    }

    private static string ReadName()
    {
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x80000004)
            return RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        StringBuilder name = new();
        for (int leaf = 2; leaf <= 4; leaf++)
        {
            (int a, int b, int c, int d) = X86Base.CpuId(unchecked((int)0x80000000) + leaf, 0);
            Append(name, a, b, c, d);
        }
        return name.ToString().Trim();
    }

    private static string ReadModel()
    {
        if (!X86Base.IsSupported)
            return RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        (_, int b, int c, int d) = X86Base.CpuId(0, 0);
        StringBuilder vendor = new();
        Append(vendor, b, d, c);
        int signature = X86Base.CpuId(1, 0).Eax;
        int family = signature >> 8 & 15, model = signature >> 4 & 15, stepping = signature & 15;
        model |= family is 6 or 15 ? signature >> 12 & 0xF0 : 0;
        family += family == 15 ? signature >> 20 & 255 : 0;
        return string.Create(CultureInfo.InvariantCulture, $"{vendor.ToString().Trim()}-{family}-{model}-{stepping}");
    }

    private static void Append(StringBuilder text, params ReadOnlySpan<int> words)
    {
        foreach (int word in words)
        {
            for (int shift = 0; shift < 32; shift += 8)
            {
                char character = (char)(word >> shift & 255);
                if (character is >= ' ' and < (char)127)
                    text.Append(character);
            }
        }
    }
}
