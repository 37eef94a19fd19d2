namespace Lorikeet.Kernels;

/// <summary>
/// Double quantisation (QLoRA, arXiv:2305.14314, section 3): the magnitudes of a tensor's blocks, less their mean, as 8-bit codes of
/// <see cref="DynamicMap.Signed"/> in blocks of 256.
/// </summary>
public sealed class NestedMagnitudes
{
    /// <summary>Magnitudes that share one of the next level.</summary>
    public const int Block = 256;

    /// <summary>One byte for each magnitude.</summary>
    public required byte[] Codes { get; init; }

    /// <summary>One magnitude for each 256 of them.</summary>
    public required float[] Magnitudes { get; init; }

    /// <summary>The mean that was taken away.</summary>
    public required float Offset { get; init; }

    /// <summary>Rounds the magnitudes of a whole tensor.</summary>
    public static NestedMagnitudes Quantize(ReadOnlySpan<float> magnitudes)
    {
        double sum = 0;
        foreach (float magnitude in magnitudes)
            sum += magnitude;
        float offset = magnitudes.Length == 0 ? 0 : (float)(sum / magnitudes.Length);
        float[] centred = new float[magnitudes.Length];
        for (int i = 0; i < centred.Length; i++)
            centred[i] = magnitudes[i] - offset;
        byte[] codes = new byte[centred.Length];
        float[] nested = new float[(centred.Length + Block - 1) / Block];
        DynamicMap.Quantize(DynamicMap.Signed, centred, Block, codes, nested);
        return new NestedMagnitudes { Codes = codes, Magnitudes = nested, Offset = offset };
    }

    /// <summary>The magnitudes that the codes stand for.</summary>
    public void Restore(Span<float> magnitudes) => Restore(DynamicMap.Signed, Codes, Magnitudes, Block, Offset, magnitudes);

    /// <summary><c>map[code] * nested + offset</c>, each step rounded, with whatever map and size of blocks a file names.</summary>
    public static void Restore(ReadOnlySpan<float> map, ReadOnlySpan<byte> codes, ReadOnlySpan<float> nested, int block, float offset, Span<float> magnitudes)
    {
        for (int i = 0; i < codes.Length; i++)
            magnitudes[i] = map[codes[i]] * nested[i / block] + offset;
    }
}
