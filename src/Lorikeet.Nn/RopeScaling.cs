namespace Lorikeet.Nn;

/// <summary>How a rotary embedding was stretched to contexts longer than those of pre-training.</summary>
public enum RopeScalingKind
{
    /// <summary>Not at all.</summary>
    None,
    /// <summary>Positions divided by a factor (Chen et al. 2023, arXiv:2306.15595).</summary>
    Linear,
    /// <summary>The base grows with the length of the sequence (NTK-aware, dynamic).</summary>
    Dynamic,
    /// <summary>Interpolation by parts and a temperature (Peng et al. 2023, arXiv:2309.00071).</summary>
    Yarn,
    /// <summary>Llama 3.1's smooth step between interpolated and untouched frequencies.</summary>
    Llama3,
    /// <summary>A searched factor for each frequency (Ding et al. 2024, arXiv:2402.13753).</summary>
    LongRope,
}

/// <summary>The parameters of a rotary embedding, as <c>config.json</c> gives them.</summary>
public sealed record RopeScaling
{
    /// <summary>Which formula.</summary>
    public RopeScalingKind Kind { get; init; }

    /// <summary>The base of the frequencies.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>How many times longer the context became.</summary>
    public double Factor { get; init; } = 1;

    /// <summary><c>max_position_embeddings</c>.</summary>
    public int MaxPositions { get; init; } = 2048;

    /// <summary><c>original_max_position_embeddings</c>: the context before stretching.</summary>
    public int OriginalMaxPositions { get; init; } = 2048;

    /// <summary>Multiplies cosines and sines; null where the formula's own value holds.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>Yarn: rotations above which a frequency is left alone.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Yarn: rotations below which a frequency is interpolated fully.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Yarn (DeepSeek): numerator of the attention factor.</summary>
    public double Mscale { get; init; }

    /// <summary>Yarn (DeepSeek): denominator of the attention factor.</summary>
    public double MscaleAllDim { get; init; }

    /// <summary>Yarn: whether the range of blended dimensions is rounded to whole ones.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Llama 3: wavelengths longer than context / this are interpolated.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths shorter than context / this are left alone.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>LongRope: a factor for each frequency up to <see cref="OriginalMaxPositions"/>.</summary>
    public IReadOnlyList<double> ShortFactors { get; init; } = [];

    /// <summary>LongRope: a factor for each frequency beyond.</summary>
    public IReadOnlyList<double> LongFactors { get; init; } = [];
}
