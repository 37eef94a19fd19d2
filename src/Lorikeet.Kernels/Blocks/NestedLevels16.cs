using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Double quantisation as it lies in memory, a tensor at a time: for each 256 blocks of 64 weights an f32 magnitude, the f32 mean of the tensor, 256 codes
/// of <see cref="DynamicMap.Signed"/>, then the blocks' indices as <see cref="Levels16"/> has them, 32 bytes each. 4.13 bits a weight.
/// <c>w = level[q] * (map[code] * magnitude + mean)</c>, each step rounded.
/// </summary>
internal static unsafe class NestedLevels16
{
    /// <summary>Bytes of a block's indices.</summary>
    private const int IndexBytes = Levels16.Block / 2;

    /// <summary>Bytes before the indices of 256 blocks.</summary>
    private const int Head = 2 * sizeof(float) + NestedMagnitudes.Block;

    /// <summary>Bytes of 256 blocks.</summary>
    private const int GroupBytes = Head + NestedMagnitudes.Block * IndexBytes;

    /// <summary>Magnitudes that are restored at a time.</summary>
    private const int Restored = 32;

    /// <summary>Bytes of a tensor.</summary>
    public static long BytesOf(long blocks)
    {
        (long groups, long rest) = Math.DivRem(blocks, NestedMagnitudes.Block);
        return checked(groups * GroupBytes + (rest == 0 ? 0 : Head + rest * IndexBytes));
    }

    /// <summary>Unpacks elements <c>first .. first + count - 1</c> of a tensor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization), SkipLocalsInit]
    public static void Dequantize(float* levels, byte* tensor, long first, long count, float* y)
    {
        float* map = DynamicMap.SignedPointer, magnitudes = stackalloc float[Restored], unpacked = stackalloc float[Levels16.Block];
        while (count > 0)
        {
            long block = first / Levels16.Block;
            int skip = (int)(first % Levels16.Block), inGroup = (int)(block % NestedMagnitudes.Block);
            byte* group = tensor + block / NestedMagnitudes.Block * GroupBytes, codes = group + 2 * sizeof(float) + inGroup;
            byte* indices = group + Head + inGroup * IndexBytes;
            float magnitude = ((float*)group)[0], mean = ((float*)group)[1];
            bool whole = skip == 0 && count >= Levels16.Block;
            int blocks = whole ? (int)Math.Min(Math.Min(Restored, NestedMagnitudes.Block - inGroup), count / Levels16.Block) : 1;
            for (int b = 0; b < blocks; b++)
                magnitudes[b] = map[codes[b]] * magnitude + mean;
            Levels16.Dequantize(levels, (byte*)magnitudes, sizeof(float), indices, IndexBytes, blocks, whole ? y : unpacked);
            long taken = whole ? (long)blocks * Levels16.Block : Math.Min(Levels16.Block - skip, count);
            if (!whole)
                new ReadOnlySpan<float>(unpacked + skip, (int)taken).CopyTo(new Span<float>(y, (int)taken));
            first += taken;
            count -= taken;
            y += taken;
        }
    }

    /// <summary>Puts a tensor together.</summary>
    /// <param name="blocks">Plain blocks, of which the indices are taken.</param>
    /// <param name="count">How many.</param>
    /// <param name="nested">Their magnitudes.</param>
    /// <param name="to">Receives <see cref="BytesOf"/> bytes; not where the blocks lie.</param>
    public static void Join(byte* blocks, long count, NestedMagnitudes nested, byte* to)
    {
        for (long b = 0; b < count; b++, blocks += Levels16.Bytes)
        {
            int inGroup = (int)(b % NestedMagnitudes.Block);
            byte* group = to + b / NestedMagnitudes.Block * GroupBytes;
            if (inGroup == 0)
            {
                ((float*)group)[0] = nested.Magnitudes[b / NestedMagnitudes.Block];
                ((float*)group)[1] = nested.Offset;
                // what stands for no block is the same in every copy
                new Span<byte>(group + 2 * sizeof(float), NestedMagnitudes.Block).Clear();
            }
            group[2 * sizeof(float) + inGroup] = nested.Codes[b];
            Buffer.MemoryCopy(blocks + sizeof(float), group + Head + inGroup * IndexBytes, IndexBytes, IndexBytes);
        }
    }

    /// <summary>Takes a tensor apart: plain blocks with restored magnitudes, and what these were restored from.</summary>
    public static NestedMagnitudes Split(byte* tensor, long count, byte* blocks)
    {
        byte[] codes = new byte[count];
        float[] magnitudes = new float[(count + NestedMagnitudes.Block - 1) / NestedMagnitudes.Block];
        for (long b = 0; b < count; b++, blocks += Levels16.Bytes)
        {
            int inGroup = (int)(b % NestedMagnitudes.Block);
            byte* group = tensor + b / NestedMagnitudes.Block * GroupBytes;
            if (inGroup == 0)
                magnitudes[b / NestedMagnitudes.Block] = ((float*)group)[0];
            codes[b] = group[2 * sizeof(float) + inGroup];
            *(float*)blocks = DynamicMap.SignedPointer[codes[b]] * ((float*)group)[0] + ((float*)group)[1];
            Buffer.MemoryCopy(group + Head + inGroup * IndexBytes, blocks + sizeof(float), IndexBytes, IndexBytes);
        }
        return new NestedMagnitudes { Codes = codes, Magnitudes = magnitudes, Offset = count == 0 ? 0 : ((float*)tensor)[1] };
    }
}
