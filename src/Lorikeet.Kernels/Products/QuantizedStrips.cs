using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// Activations in 8 bits as tiles of panels read them, whatever format the weights have: each 32 terms of a row share a scale, <c>x = scale * q</c>,
/// <c>|q| &lt;= 127</c>. Rows lie <see cref="Pitch"/> apart, in strips that a tile takes together; <see cref="PanelLayout.BlockTerms"/> terms of all rows before the next. A unit
/// of 32 terms holds their codes; then what sums of products with them begin with, where the weights' codes have an offset; then their scale, and scale times
/// sum. For weights whose rows have one scale, units are groups of <see cref="PanelLayout.RowTerms"/> instead: what sums begin with, codes, the scale.
/// </summary>
internal unsafe struct QuantizedStrips
{
    /// <summary>Terms that share a scale.</summary>
    public const int Terms = PanelLayout.Terms;

    /// <summary>Words of a unit, and where among them stand scales and totals.</summary>
    public const int Words = 14, ScaleAt = 12, TotalAt = 13;

    /// <summary>Bytes of a group of <see cref="PanelLayout.RowTerms"/>.</summary>
    public const int GroupBytes = 4 + PanelLayout.RowTerms + 4;

    /// <summary>
    /// Where stands minus the sum of a row's codes, shifted as far as the offset of the weights' codes is: of all for 3 and 7, of each half for 5.
    /// </summary>
    public static int StartAt(int offsetShift, int half) => offsetShift switch
    {
        3 => 8,
        7 => 9,
        _ => 10 + half,
    };

    private GemmOperand _from;
    private byte* _to;
    private float _alpha;
    private int _rows, _terms, _strips;
    private bool _byRows;

    /// <summary>Lays out m rows of k terms, whole units; a product's factor goes into the scales.</summary>
    public static QuantizedStrips Of(in GemmOperand from, int m, int k, float alpha, int maxRows, bool byRows) => new()
    {
        _from = from,
        _rows = m,
        _terms = k,
        _alpha = alpha,
        _byRows = byRows,
        _strips = (m + maxRows - 1) / maxRows,
    };

    /// <summary>Strips of rows.</summary>
    public readonly int Count => _strips;

    /// <summary>Floats of memory that all take.</summary>
    public readonly long Floats => (long)(_terms + PanelLayout.BlockTerms - 1) / PanelLayout.BlockTerms * _rows * Pitch(_byRows) / sizeof(float);

    /// <summary>Bytes from a row to the next, with units or with groups.</summary>
    public static int Pitch(bool byRows) => byRows ? PanelLayout.BlockTerms / PanelLayout.RowTerms * GroupBytes : PanelLayout.BlockTerms / Terms * Words * sizeof(int);

    /// <summary>First row of a strip; that of the strip behind the last is the number of rows.</summary>
    public readonly int First(int strip) => (int)((long)_rows * strip / _strips);

    /// <summary>Where a strip's block of terms begins.</summary>
    public readonly byte* At(int strip, int term) => Row(First(strip), term);

    private readonly byte* Row(int row, int term) => _to + ((nint)(term / PanelLayout.BlockTerms) * _rows + row) * Pitch(_byRows);

    /// <summary>Quantises all rows on all threads.</summary>
    public void Fill(byte* to)
    {
        _to = to;
        QuantizedStrips strips = this;
        if (_strips == 1)
            strips.Strip(0);
        else
            ComputePool.Run(&Part, &strips, _strips);
    }

    private static void Part(void* context, int part) => ((QuantizedStrips*)context)->Strip(part);

    private readonly void Strip(int strip)
    {
        for (int row = First(strip); row < First(strip + 1); row++)
        {
            if (_byRows)
                Groups(row);
            else
                Units(row);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Units(int row)
    {
        float* copy = stackalloc float[Terms];
        float* lies = Singles(row);
        byte* to = null;
        for (int p = 0; p < _terms; p += Terms, to += Words * sizeof(int))
        {
            if (p % PanelLayout.BlockTerms == 0)
                to = Row(row, p);
            if (lies != null)
                Fetch(lies + p, Terms);
            float scale = Quantize(lies != null ? lies + p : Read(row, p, Terms, copy), (sbyte*)to, out int low, out int high);
            int* words = (int*)to;
            words[8] = -(low + high) << 3;
            words[9] = -(low + high) << 7;
            words[10] = -low << 5;
            words[11] = -high << 5;
            ((float*)words)[ScaleAt] = _alpha * scale;
            ((float*)words)[TotalAt] = _alpha * scale * (low + high);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Groups(int row)
    {
        float* copy = stackalloc float[PanelLayout.RowTerms];
        float* lies = Singles(row);
        byte* to = null;
        for (int p = 0; p < _terms; p += PanelLayout.RowTerms, to += GroupBytes)
        {
            if (p % PanelLayout.BlockTerms == 0)
                to = Row(row, p);
            if (lies != null)
                Fetch(lies + p, PanelLayout.RowTerms);
            int terms = Math.Min(PanelLayout.RowTerms, _terms - p);
            float scale = Quantize(lies != null ? lies + p : Read(row, p, terms, copy), terms, (sbyte*)to + 4, out int sum);
            *(int*)to = -sum << 7;
            *(float*)(to + 4 + terms) = _alpha * scale;
        }
    }

    /// <summary>Asks for what comes after terms, two kB on: the processor itself begins anew with each page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(float* terms, int count)
    {
        for (int line = 0; Sse.IsSupported && line < count; line += 16)
            Sse.Prefetch0(terms + 512 + line);
    }

    /// <summary>A row where it lies, or null where it does not lie as singles side by side.</summary>
    private readonly float* Singles(int row) => _from is { Type: DType.F32, Transposed: false } ? (float*)_from.Data + row * _from.Stride : null;

    /// <summary>Rounds a group of values, a multiple of 32, to codes: their scale, and the sum of the codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Quantize(float* x, int terms, sbyte* codes, out int sum)
    {
        float scale;
        if (Avx512F.IsSupported)
        {
            Vector512<int> even = default, odd = default;
            for (int p = 0; p < terms; p += 32)
            {
                even = Vector512.Max(even, Magnitude(Vector512.Load(x + p)));
                odd = Vector512.Max(odd, Magnitude(Vector512.Load(x + p + 16)));
            }
            even = Vector512.Max(even, odd);
            (float by512, scale) = ScaleOf(Most(Vector256.Max(even.GetLower(), even.GetUpper())));
            Vector512<float> times512 = Vector512.Create(by512);
            Vector512<int> sums512 = default;
            for (int p = 0; p < terms; p += 16)
            {
                Vector512<int> whole = Avx512F.ConvertToVector512Int32(Vector512.Load(x + p) * times512);
                sums512 += whole;
                Avx512F.ConvertToVector128SByte(whole).Store(codes + p);
            }
            sum = Vector512.Sum(sums512);
            return scale;
        }
        Vector256<int> greatest = default;
        for (int p = 0; p < terms; p += 16)
            greatest = Vector256.Max(greatest, Vector256.Max(Magnitude(Vector256.Load(x + p)), Magnitude(Vector256.Load(x + p + 8))));
        (float by, scale) = ScaleOf(Most(greatest));
        Vector256<float> times = Vector256.Create(by);
        Vector256<int> sums = default;
        for (int p = 0; p < terms; p += 32)
        {
            Vector256<int> i0 = Whole(Vector256.Load(x + p) * times), i1 = Whole(Vector256.Load(x + p + 8) * times);
            Vector256<int> i2 = Whole(Vector256.Load(x + p + 16) * times), i3 = Whole(Vector256.Load(x + p + 24) * times);
            sums += i0 + i1 + (i2 + i3);
            Vector256.Narrow(Vector256.Narrow(i0, i1), Vector256.Narrow(i2, i3)).Store(codes + p);
        }
        sum = Vector256.Sum(sums);
        return scale;
    }

    private readonly float* Read(int row, int term, int terms, float* copy)
    {
        if (!_from.Transposed)
        {
            _from.Read(row, term, terms, copy);
            return copy;
        }
        for (int p = 0; p < terms; p++)
            _from.Read((long)term + p, row, 1, copy + p);
        return copy;
    }

    /// <summary>Rounds 32 values to 32 codes: their scale, and the sums of both halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Quantize(float* x, sbyte* codes, out int low, out int high)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<float> first = Vector512.Load(x), second = Vector512.Load(x + 16);
            Vector512<int> most = Vector512.Max(Magnitude(first), Magnitude(second));
            (float by512, float scale512) = ScaleOf(Most(Vector256.Max(most.GetLower(), most.GetUpper())));
            Vector128<sbyte> codes0 = Avx512F.ConvertToVector128SByte(Avx512F.ConvertToVector512Int32(first * by512));
            Vector128<sbyte> codes1 = Avx512F.ConvertToVector128SByte(Avx512F.ConvertToVector512Int32(second * by512));
            codes0.Store(codes);
            codes1.Store(codes + 16);
            low = Sum(codes0);
            high = Sum(codes1);
            return scale512;
        }
        Vector256<float> x0 = Vector256.Load(x), x1 = Vector256.Load(x + 8), x2 = Vector256.Load(x + 16), x3 = Vector256.Load(x + 24);
        Vector256<int> greatest = Vector256.Max(Vector256.Max(Magnitude(x0), Magnitude(x1)), Vector256.Max(Magnitude(x2), Magnitude(x3)));
        (float by, float scale) = ScaleOf(Most(greatest));
        Vector256<float> times = Vector256.Create(by);
        Vector256<int> i0 = Whole(x0 * times), i1 = Whole(x1 * times), i2 = Whole(x2 * times), i3 = Whole(x3 * times);
        Vector256<short> lower = Vector256.Narrow(i0, i1), upper = Vector256.Narrow(i2, i3);
        Vector256.Narrow(lower, upper).Store(codes);
        low = Vector256.Sum(i0 + i1);
        high = Vector256.Sum(i2 + i3);
        return scale;
    }

    /// <summary>The sum of 16 codes: of unsigned bytes there is an instruction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Sum(Vector128<sbyte> codes)
    {
        Vector128<int> eights = Sse2.SumAbsoluteDifferences(codes.AsByte() ^ Vector128.Create((byte)128), Vector128<byte>.Zero).AsInt32();
        return eights[0] + eights[2] - 16 * 128;
    }

    /// <summary>Magnitudes as integers, which compare as they do: in one instruction, and what is no number is greater than all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Magnitude(Vector256<float> x) => x.AsInt32() & Vector256.Create(int.MaxValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Magnitude(Vector512<float> x) => x.AsInt32() & Vector512.Create(int.MaxValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Most(Vector256<int> x)
    {
        Vector128<int> half = Vector128.Max(x.GetLower(), x.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(1, 0, 3, 2))).AsSingle().ToScalar();
    }

    /// <summary>To the nearest integer, ties to even; of what is no number, some integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Whole(Vector256<float> x) => Vector256.ConvertToInt32Native(Vector256.Round(x));

    /// <summary>The factor that makes codes of values, and the scale that makes values of codes, for the greatest magnitude among them.</summary>
    public static (float Factor, float Scale) ScaleOf(float greatest) => (greatest > 0 ? 127 / greatest : 0, greatest / 127);
}
