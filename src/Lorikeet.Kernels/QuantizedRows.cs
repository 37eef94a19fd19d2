using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// Activations in 8 bits, for products with weights in a block format: each 32 of a row share a scale, <c>x = scale * q</c>, <c>|q| &lt;= 127</c>. Rows lie in
/// groups that a kernel takes together. A group holds, for each 32 terms and each row, 32 codes and the 8 integers with which the sums of fours of
/// them start (minus the weights' offset times the codes); then the scales; then scale times sum of codes.
/// </summary>
internal unsafe struct QuantizedRows
{
    /// <summary>Terms that share a scale.</summary>
    public const int Terms = 32;

    /// <summary>Most rows of a group.</summary>
    public const int MaxGroup = 8;

    /// <summary>Bytes that 32 terms of a row take.</summary>
    private const int Bytes = 2 * Terms + 2 * sizeof(float);

    private GemmOperand _from;
    private byte* _to;
    private int _rows, _blocks, _groups, _offset;
    private bool _together;

    /// <summary>Lays out m rows of k terms for weights of a type.</summary>
    public static QuantizedRows Of(in GemmOperand from, int m, int k, DType weights)
    {
        QuantizedRows rows = new()
        {
            _from = from,
            _rows = m,
            _blocks = k / Terms,
            _groups = (m + MaxGroup - 1) / MaxGroup,
            _offset = OffsetOf(weights),
            _together = weights.BlockSize() > Terms,
        };
        return rows;
    }

    /// <summary>Groups of rows.</summary>
    public readonly int Groups => _groups;

    /// <summary>Floats of memory that all rows take.</summary>
    public readonly long Floats => (long)_rows * _blocks * Bytes / sizeof(float);

    /// <summary>First row of a group; that of the group behind the last is the number of rows.</summary>
    public readonly int First(int group) => (int)((long)_rows * group / _groups);

    /// <summary>Codes and starts of a group.</summary>
    public readonly byte* Codes(int group) => _to + (nint)First(group) * _blocks * Bytes;

    /// <summary>Scales of a group.</summary>
    public readonly float* Scales(int group) => (float*)(Codes(group) + (nint)(First(group + 1) - First(group)) * _blocks * 2 * Terms);

    /// <summary>Scales times sums of codes of a group.</summary>
    public readonly float* Totals(int group) => Scales(group) + (nint)(First(group + 1) - First(group)) * _blocks;

    /// <summary>Quantises all rows on all threads.</summary>
    public void Fill(byte* to)
    {
        _to = to;
        QuantizedRows rows = this;
        if (_rows == 1)
            rows.Group(0);
        else
            ComputePool.Run(&Part, &rows, _groups);
    }

    private static void Part(void* context, int part) => ((QuantizedRows*)context)->Group(part);

    [SkipLocalsInit]
    private readonly void Group(int group)
    {
        int first = First(group), count = First(group + 1) - first;
        byte* codes = Codes(group);
        float* scales = Scales(group), totals = Totals(group), copy = stackalloc float[Terms];
        for (int i = 0; i < count; i++)
        {
            for (int b = 0; b < _blocks; b++)
            {
                float* x = Read(_from, first + i, b * Terms, copy);
                // formats of 256 weights want the 8 scales of a row side by side
                int at = _together ? (b / 8 * count + i) * 8 + b % 8 : b * count + i;
                Quantize(x, (sbyte*)codes + (nint)(b * count + i) * 2 * Terms, _offset, scales + at, totals + at);
            }
        }
    }

    /// <summary>What the codes of a type are greater by than what they stand for.</summary>
    public static int OffsetOf(DType weights) => weights switch { DType.Q4_0 => 8, DType.Q8_0 => 128, DType.Q6_K => 32, _ => 0 };

    /// <summary>32 terms of a row as singles, where they lie or copied.</summary>
    public static float* Read(in GemmOperand x, int row, int term, float* copy)
    {
        if (x is { Type: DType.F32, Transposed: false })
            return (float*)x.Data + row * x.Stride + term;
        if (!x.Transposed)
        {
            BlockFormats.Dequantize(x.Type, x.Row(row), term, Terms, copy);
            return copy;
        }
        for (int p = 0; p < Terms; p++)
            BlockFormats.Dequantize(x.Type, x.Row((long)term + p), row, 1, copy + p);
        return copy;
    }

    /// <summary>Rounds 32 values to 32 codes, followed by 8 integers: minus the offset times the sums of fours of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize(float* x, sbyte* codes, int offset, float* scale, float* total)
    {
        Vector256<float> x0 = Vector256.Load(x), x1 = Vector256.Load(x + 8), x2 = Vector256.Load(x + 16), x3 = Vector256.Load(x + 24);
        Vector256<float> greatest = Vector256.Max(Vector256.Max(Vector256.Abs(x0), Vector256.Abs(x1)), Vector256.Max(Vector256.Abs(x2), Vector256.Abs(x3)));
        Vector128<float> half = Vector128.Max(greatest.GetLower(), greatest.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        float most = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(1, 0, 3, 2))).ToScalar();
        (float by, *scale) = ScaleOf(most);
        Vector256<float> times = Vector256.Create(by);
        Vector256<short> low = Vector256.Narrow(Avx.ConvertToVector256Int32(x0 * times), Avx.ConvertToVector256Int32(x1 * times));
        Vector256<short> high = Vector256.Narrow(Avx.ConvertToVector256Int32(x2 * times), Avx.ConvertToVector256Int32(x3 * times));
        Vector256<sbyte> q = Vector256.Narrow(low, high);
        q.Store(codes);
        Vector256<int> sums = Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Vector256<byte>.One, q), Vector256<short>.One);
        (sums * -offset).Store((int*)(codes + Terms));
        *total = *scale * Vector256.Sum(sums);
    }

    /// <summary>The factor that makes codes of values, and the scale that makes values of codes, for the greatest magnitude among them.</summary>
    public static (float Factor, float Scale) ScaleOf(float greatest) => (greatest > 0 ? 127 / greatest : 0, greatest / 127);
}
