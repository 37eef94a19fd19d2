using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

/// <summary>The frequencies of each kind of scaling against their formulas, computed here a second time and in double.</summary>
public sealed class RotaryEmbeddingTests : IDisposable
{
    private const int Dim = 64;

    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    [Theory]
    [InlineData(10_000)]
    [InlineData(500_000)]
    public void Unscaled_frequencies_fall_from_one_by_equal_ratios(double theta)
    {
        (double[] frequencies, double factor) = Read(new RopeScaling { Theta = theta }, 5);
        ShouldBe(frequencies, Plain(theta));
        factor.ShouldBe(1, 1e-6);
    }

    [Fact]
    public void Linear_scaling_divides_all_of_them()
    {
        (double[] frequencies, _) = Read(new RopeScaling { Kind = RopeScalingKind.Linear, Factor = 3 }, 5);
        ShouldBe(frequencies, [.. Plain(10_000).Select(frequency => frequency / 3)]);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(390)]
    public void Dynamic_scaling_grows_the_base_once_a_pass_is_longer_than_the_context(int length)
    {
        (double[] frequencies, _) = Read(new RopeScaling { Kind = RopeScalingKind.Dynamic, Factor = 2.5, MaxPositions = 100 }, length);
        double stretch = 2.5 * Math.Max(length, 100) / 100 - 1.5;
        ShouldBe(frequencies, Plain(10_000 * Math.Pow(stretch, Dim / (Dim - 2.0))));
        if (length <= 100)
            ShouldBe(frequencies, Plain(10_000));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Yarn_blends_from_untouched_to_interpolated_between_two_dimensions(bool truncate)
    {
        const double factor = 4, context = 4096, theta = 10_000;
        (double[] frequencies, double attention) = Read(
            new RopeScaling { Kind = RopeScalingKind.Yarn, Factor = factor, OriginalMaxPositions = (int)context, Truncate = truncate }, 5);
        // the dimension at which a wave turns n times within the context solves context / (2 pi theta^(2d/Dim)) = n
        double Turning(double n) => Dim / 2.0 * Math.Log(context / (2 * Math.PI * n)) / Math.Log(theta);
        (double low, double high) = (Turning(32), Turning(1));
        if (truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        ShouldBe(frequencies, [.. Plain(theta).Select((frequency, i) =>
        {
            double share = Math.Clamp((i - low) / (high - low), 0, 1);
            return frequency / factor * share + frequency * (1 - share);
        })]);
        attention.ShouldBe(0.1 * Math.Log(factor) + 1, 1e-6);
        frequencies[0].ShouldBe(1, 1e-6);
        frequencies[^1].ShouldBe(Plain(theta)[^1] / factor, 1e-9);
    }

    [Fact]
    public void Yarns_temperature_may_be_a_ratio_or_given()
    {
        RopeScaling yarn = new() { Kind = RopeScalingKind.Yarn, Factor = 40, OriginalMaxPositions = 4096 };
        Read(yarn with { Mscale = 0.707, MscaleAllDim = 1 }, 5).Factor.ShouldBe((0.0707 * Math.Log(40) + 1) / (0.1 * Math.Log(40) + 1), 1e-6);
        Read(yarn with { Mscale = 1, MscaleAllDim = 1 }, 5).Factor.ShouldBe(1, 1e-6);
        Read(yarn with { Mscale = 0.707 }, 5).Factor.ShouldBe(0.1 * Math.Log(40) + 1, 1e-6);
        Read(yarn with { AttentionFactor = 1.25 }, 5).Factor.ShouldBe(1.25, 1e-6);
        Read(yarn with { Factor = 1 }, 5).Factor.ShouldBe(1, 1e-6);
    }

    [Fact]
    public void Yarn_with_both_bounds_on_one_dimension_is_a_step()
    {
        (double[] frequencies, _) = Read(new RopeScaling { Kind = RopeScalingKind.Yarn, Factor = 2, OriginalMaxPositions = 6, BetaFast = 32, BetaSlow = 1 }, 5);
        // six positions are less than one turn of any wave: everything is interpolated but the first
        ShouldBe(frequencies, [.. Plain(10_000).Select((frequency, i) => i == 0 ? frequency : frequency / 2)]);
    }

    [Fact]
    public void Llama3_leaves_short_waves_alone_and_interpolates_long_ones()
    {
        const double factor = 8, low = 1, high = 4, context = 8192, theta = 500_000;
        (double[] frequencies, double attention) = Read(new RopeScaling
        {
            Kind = RopeScalingKind.Llama3, Theta = theta, Factor = factor, LowFrequencyFactor = low, HighFrequencyFactor = high, OriginalMaxPositions = (int)context,
        }, 5);
        ShouldBe(frequencies, [.. Plain(theta).Select(frequency =>
        {
            double turns = context * frequency / (2 * Math.PI);
            double kept = Math.Clamp((turns - low) / (high - low), 0, 1);
            return frequency * kept + frequency / factor * (1 - kept);
        })]);
        attention.ShouldBe(1, 1e-6);
        Plain(theta).Count(frequency => context * frequency / (2 * Math.PI) is > low and < high).ShouldBeGreaterThan(1, "some lie between");
    }

    [Theory]
    [InlineData(64)]
    [InlineData(65)]
    public void LongRope_has_factors_for_passes_within_the_first_context_and_beyond(int length)
    {
        double[] shorter = [.. Enumerable.Range(0, Dim / 2).Select(i => 1 + i * 0.05)], longer = [.. Enumerable.Range(0, Dim / 2).Select(i => 1 + i * 1.5)];
        RopeScaling scaling = new()
        {
            Kind = RopeScalingKind.LongRope, Factor = 32, OriginalMaxPositions = 64, MaxPositions = 2048, ShortFactors = shorter, LongFactors = longer,
        };
        (double[] frequencies, double attention) = Read(scaling, length);
        ShouldBe(frequencies, [.. Plain(10_000).Select((frequency, i) => frequency / (length > 64 ? longer : shorter)[i])]);
        attention.ShouldBe(Math.Sqrt(1 + Math.Log(32) / Math.Log(64)), 1e-6);
        Read(scaling with { Factor = 1 }, length).Factor.ShouldBe(1, 1e-6);
        Read(scaling with { AttentionFactor = 1.1 }, length).Factor.ShouldBe(1.1, 1e-6);
        Should.Throw<ArgumentException>(() => new RotaryEmbedding(Dim - 2, scaling)).Message.ShouldContain("31 frequencies");
    }

    [Fact]
    public void Only_the_first_dimensions_of_a_head_turn()
    {
        Step step = Begin(3);
        RotaryEmbedding rotary = new(4, new RopeScaling());
        Tensor x = _tape.New(new Shape(3, 12));
        for (int i = 0; i < 36; i++)
            x.Values[i] = i;
        float[] before = x.Values.ToArray();
        Tensor y = rotary.Apply(step, x, 6);
        for (int row = 0; row < 3; row++)
        {
            for (int head = 0; head < 2; head++)
            {
                int at = head * 6;
                y.Row(row).Slice(at + 4, 2).ToArray().ShouldBe(before.AsSpan(row * 12 + at + 4, 2).ToArray());
                double angle = row, a = before[row * 12 + at], b = before[row * 12 + at + 2];
                ((double)y.Row(row)[at]).ShouldBe(a * Math.Cos(angle) - b * Math.Sin(angle), 1e-5);
                ((double)y.Row(row)[at + 2]).ShouldBe(b * Math.Cos(angle) + a * Math.Sin(angle), 1e-5);
            }
        }
    }

    private static double[] Plain(double theta) => [.. Enumerable.Range(0, Dim / 2).Select(i => Math.Pow(theta, -2.0 * i / Dim))];

    private (double[] Frequencies, double Factor) Read(RopeScaling scaling, int length)
    {
        RotaryEmbedding rotary = new(Dim, scaling);
        (Tensor cos, Tensor sin) = rotary.Tables(Begin(length));
        // at position 1 the angle is the frequency
        double[] c = [.. cos.Row(1).ToArray()], s = [.. sin.Row(1).ToArray()];
        return ([.. c.Zip(s, (c, s) => Math.Atan2(s, c))], Math.Sqrt(c[0] * c[0] + s[0] * s[0]));
    }

    private Step Begin(int length)
    {
        RaggedBatch batch = new();
        batch.Add(new int[length]);
        Step step = new(_tape);
        step.Begin(batch);
        return step;
    }

    private static void ShouldBe(double[] frequencies, double[] expected)
    {
        for (int i = 0; i < expected.Length; i++)
            frequencies[i].ShouldBe(expected[i], 1e-6 * expected[i], $"frequency {i}");
    }
}
