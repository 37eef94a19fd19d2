using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>
/// Rotary position embedding with every kind of scaling; formulas and their order of rounding are those of Hugging Face transformers
/// (<c>modeling_rope_utils</c>), so that logits agree.
/// </summary>
public sealed class RotaryEmbedding
{
    private readonly RopeScaling _scaling;
    private readonly float[] _frequencies;
    private readonly float[] _current;

    /// <summary>Rotates the first <paramref name="dim"/> numbers of each head.</summary>
    /// <exception cref="ArgumentException">LongRope has not one factor for each frequency.</exception>
    public RotaryEmbedding(int dim, RopeScaling scaling, bool interleaved = false)
    {
        if (scaling.Kind == RopeScalingKind.LongRope && (scaling.ShortFactors.Count != dim / 2 || scaling.LongFactors.Count != dim / 2))
            throw new ArgumentException($"longrope has {scaling.ShortFactors.Count} short and {scaling.LongFactors.Count} long factors for {dim / 2} frequencies");
        Dim = dim;
        Interleaved = interleaved;
        _scaling = scaling;
        _frequencies = new float[dim / 2];
        _current = new float[dim / 2];
        Fill(_frequencies, scaling.MaxPositions);
        AttentionFactor = (float)FactorOf(scaling);
    }

    /// <summary>Numbers of a head that are rotated; the rest stay.</summary>
    public int Dim { get; }

    /// <summary>True where pairs are neighbours.</summary>
    public bool Interleaved { get; }

    /// <summary>Multiplies cosines and sines.</summary>
    public float AttentionFactor { get; }

    /// <summary>Radians per position of each pair; where the length of a text decides, those of the shortest.</summary>
    public ReadOnlySpan<float> Frequencies => _frequencies;

    /// <summary>Rotates queries or keys <c>[rows, heads · headDim]</c>, in place: use the result.</summary>
    public Tensor Apply(Step step, Tensor x, int headDim)
    {
        (Tensor cos, Tensor sin) = step.Rotation(this);
        return step.Tape.Rope(x, cos, sin, headDim, Interleaved);
    }

    /// <summary>Cosines and sines of a pass, <c>[rows, dim / 2]</c> each.</summary>
    internal (Tensor Cos, Tensor Sin) Tables(Step step)
    {
        if (_scaling.Kind is not (RopeScalingKind.Dynamic or RopeScalingKind.LongRope))
            return step.Tape.RopeTables(step.Positions, _frequencies, AttentionFactor);
        if (step.Caches is null)
        {
            Fill(_current, step.PositionEnd);
            return step.Tape.RopeTables(step.Positions, _current, AttentionFactor);
        }
        // texts that are written together do not know of each other: the length of each decides for it alone
        Tensor cos = step.Tape.New(new Shape(step.Batch.Rows, _current.Length)), sin = step.Tape.New(cos.Shape);
        for (int sequence = 0; sequence < step.Batch.Sequences; sequence++)
        {
            int first = step.Batch.Start(sequence), rows = step.Batch.Length(sequence);
            if (rows == 0)
                continue;
            Fill(_current, step.Positions.Integers[first + rows - 1] + 1 + step.Batch.Ahead(sequence));
            RopeTablesOp.FillRopeTables(step.Positions, first, rows, _current, AttentionFactor, cos, sin);
        }
        return (cos, sin);
    }

    private void Fill(Span<float> frequencies, int positions)
    {
        double theta = _scaling.Theta;
        if (_scaling.Kind == RopeScalingKind.Dynamic)
        {
            double length = Math.Max(positions, _scaling.MaxPositions);
            theta *= Math.Pow(_scaling.Factor * length / _scaling.MaxPositions - (_scaling.Factor - 1), Dim / (Dim - 2.0));
        }
        for (int i = 0; i < frequencies.Length; i++)
        {
            float power = MathF.Pow((float)theta, 2f * i / Dim);
            frequencies[i] = _scaling.Kind switch
            {
                RopeScalingKind.Linear => 1 / power / (float)_scaling.Factor,
                RopeScalingKind.Yarn => Yarn(i, power),
                RopeScalingKind.Llama3 => Llama3(1 / power),
                RopeScalingKind.LongRope => 1 / ((float)(positions > _scaling.OriginalMaxPositions ? _scaling.LongFactors : _scaling.ShortFactors)[i] * power),
                _ => 1 / power,
            };
        }
    }

    private float Yarn(int i, float power)
    {
        double low = CorrectionDim(_scaling.BetaFast), high = CorrectionDim(_scaling.BetaSlow);
        if (_scaling.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        low = Math.Max(low, 0);
        high = Math.Min(high, Dim - 1);
        if (low == high)
            high += 0.001;
        float ramp = Math.Clamp((i - (float)low) / (float)(high - low), 0, 1);
        float untouched = 1 / power, interpolated = 1 / ((float)_scaling.Factor * power);
        return interpolated * ramp + untouched * (1 - ramp);
    }

    // the dimension whose wave turns that many times within the original context
    private double CorrectionDim(double rotations) =>
        Dim * Math.Log(_scaling.OriginalMaxPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(_scaling.Theta));

    private float Llama3(float frequency)
    {
        double context = _scaling.OriginalMaxPositions;
        float wavelength = 2 * MathF.PI / frequency;
        if (wavelength < context / _scaling.HighFrequencyFactor)
            return frequency;
        if (wavelength > context / _scaling.LowFrequencyFactor)
            return frequency / (float)_scaling.Factor;
        float smooth = ((float)context / wavelength - (float)_scaling.LowFrequencyFactor)
            / (float)(_scaling.HighFrequencyFactor - _scaling.LowFrequencyFactor);
        return (1 - smooth) * frequency / (float)_scaling.Factor + smooth * frequency;
    }

    private static double FactorOf(RopeScaling s)
    {
        if (s.AttentionFactor is { } given)
            return given;
        return s.Kind switch
        {
            RopeScalingKind.Yarn when s.Mscale != 0 && s.MscaleAllDim != 0 => Temperature(s.Factor, s.Mscale) / Temperature(s.Factor, s.MscaleAllDim),
            RopeScalingKind.Yarn => Temperature(s.Factor, 1),
            RopeScalingKind.LongRope when s.Factor > 1 => Math.Sqrt(1 + Math.Log(s.Factor) / Math.Log(s.OriginalMaxPositions)),
            _ => 1,
        };

        static double Temperature(double factor, double mscale) => factor <= 1 ? 1 : 0.1 * mscale * Math.Log(factor) + 1;
    }
}
