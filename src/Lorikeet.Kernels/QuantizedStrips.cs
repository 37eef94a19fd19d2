using System.Runtime.CompilerServices;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>Activations in 8 bits as quantised tiles read them: strips of up to six rows, for each step the four codes of every row side by side.</summary>
internal unsafe struct QuantizedStrips
{
    private GemmOperand _from;
    private byte* _to;
    private float _alpha;
    private int _rows, _terms, _strips, _steps, _offset;

    /// <summary>Lays out m rows of k terms for weights of a type; a product's factor goes into the scales.</summary>
    public static QuantizedStrips Of(in GemmOperand from, int m, int k, float alpha, DType weights) => new()
    {
        _from = from,
        _rows = m,
        _terms = k,
        _alpha = alpha,
        _strips = (m + QuantizedTileAssembler.MaxRows - 1) / QuantizedTileAssembler.MaxRows,
        _steps = QuantizedPanels.Steps(weights),
        _offset = QuantizedRows.OffsetOf(weights),
    };

    /// <summary>Strips of rows.</summary>
    public readonly int Count => _strips;

    /// <summary>Floats of memory that all take.</summary>
    public readonly long Floats => (long)_terms / (4 * _steps) * QuantizedTileAssembler.StripBytes(_rows, _steps) / sizeof(float);

    /// <summary>First row of a strip; that of the strip behind the last is the number of rows.</summary>
    public readonly int First(int strip) => (int)((long)_rows * strip / _strips);

    /// <summary>Where a strip's group of a term begins.</summary>
    public readonly byte* At(int strip, int term)
    {
        int first = First(strip), rows = First(strip + 1) - first;
        return _to + (nint)(_terms / (4 * _steps)) * QuantizedTileAssembler.StripBytes(first, _steps) + (nint)(term / (4 * _steps)) * QuantizedTileAssembler.StripBytes(rows, _steps);
    }

    /// <summary>Quantises all rows on all threads.</summary>
    public void Fill(byte* to)
    {
        _to = to;
        QuantizedStrips strips = this;
        ComputePool.Run(&Part, &strips, _strips);
    }

    private static void Part(void* context, int part) => ((QuantizedStrips*)context)->Strip(part);

    [SkipLocalsInit]
    private readonly void Strip(int strip)
    {
        int first = First(strip), rows = First(strip + 1) - first, groups = 8 / _steps, bytes = QuantizedTileAssembler.StripBytes(rows, _steps);
        float* copy = stackalloc float[QuantizedRows.Terms];
        sbyte* codes = stackalloc sbyte[2 * QuantizedRows.Terms];
        int* sums = (int*)(codes + QuantizedRows.Terms);
        byte* to = At(strip, 0);
        for (int p = 0; p < _terms; p += QuantizedRows.Terms, to += groups * bytes)
        {
            for (int i = 0; i < rows; i++)
            {
                float scale, total;
                QuantizedRows.Quantize(QuantizedRows.Read(_from, first + i, p, copy), codes, 1, &scale, &total);
                for (int g = 0; g < groups; g++)
                {
                    int* group = (int*)(to + g * bytes);
                    int sum = 0;
                    for (int step = 0; step < _steps; step++)
                    {
                        group[step * rows + i] = ((int*)codes)[g * _steps + step];
                        // minus the sum of four codes
                        sum += sums[g * _steps + step];
                    }
                    group[_steps * rows + i] = sum * _offset;
                    ((float*)group)[(_steps + 1) * rows + i] = _alpha * scale;
                    ((float*)group)[(_steps + 2) * rows + i] = _alpha * scale * -sum;
                }
            }
        }
    }
}
