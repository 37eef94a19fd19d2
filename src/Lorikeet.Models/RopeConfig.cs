using Lorikeet.Formats;
using Lorikeet.Nn;

namespace Lorikeet.Models;

/// <summary>The rotary part of a configuration, in transformers 5's form (<c>rope_parameters</c>) or the one before (<c>rope_theta</c>, <c>rope_scaling</c>).</summary>
internal static class RopeConfig
{
    public static RopeScaling Read(JsonConfig config, int rotaryDim, double defaultTheta = 10000)
    {
        int maximum = config.Size("max_position_embeddings", 2048, 1, int.MaxValue);
        JsonConfig? rope = config.Section("rope_parameters") ?? config.Section("rope_scaling");
        double theta = rope?.NumberOrNull("rope_theta") ?? config.Number("rope_theta", defaultTheta);
        if (theta <= 0)
            config.Report("rope_theta", "must be positive");
        if (rope is null)
            return new RopeScaling { Theta = theta, MaxPositions = maximum, OriginalMaxPositions = maximum };
        RopeScalingKind kind = Kind(rope);
        int original = rope.Size("original_max_position_embeddings", config.Size("original_max_position_embeddings", maximum, 1, int.MaxValue), 1, int.MaxValue);
        double factor = rope.NumberOrNull("factor") ?? (kind is RopeScalingKind.LongRope or RopeScalingKind.Yarn ? maximum / (double)original : 1);
        if (factor <= 0)
            rope.Report("factor", "must be positive");
        RopeScaling scaling = new()
        {
            Kind = kind,
            Theta = theta,
            Factor = factor,
            MaxPositions = maximum,
            OriginalMaxPositions = original,
            AttentionFactor = rope.NumberOrNull("attention_factor"),
            BetaFast = rope.Number("beta_fast", 32),
            BetaSlow = rope.Number("beta_slow", 1),
            Mscale = rope.Number("mscale", 0),
            MscaleAllDim = rope.Number("mscale_all_dim", 0),
            Truncate = rope.Flag("truncate", true),
            LowFrequencyFactor = rope.Number("low_freq_factor", 1),
            HighFrequencyFactor = rope.Number("high_freq_factor", 4),
            ShortFactors = (rope.NumbersOrNull("short_factor") ?? []),
            LongFactors = (rope.NumbersOrNull("long_factor") ?? []),
        };
        if (kind == RopeScalingKind.LongRope && (scaling.ShortFactors.Count != rotaryDim / 2 || scaling.LongFactors.Count != rotaryDim / 2))
            rope.Report("short_factor, long_factor", $"{rotaryDim / 2} numbers each were expected (half of the {rotaryDim} rotated dimensions), found {scaling.ShortFactors.Count} and {scaling.LongFactors.Count}");
        return scaling;
    }

    private static RopeScalingKind Kind(JsonConfig rope)
    {
        string name = rope.Text("rope_type", rope.Text("type", "default"));
        switch (name)
        {
            case "default":
                return RopeScalingKind.None;
            case "linear":
                return RopeScalingKind.Linear;
            case "dynamic":
                return RopeScalingKind.Dynamic;
            case "yarn":
                return RopeScalingKind.Yarn;
            case "llama3":
                return RopeScalingKind.Llama3;
            case "longrope" or "su":
                return RopeScalingKind.LongRope;
            default:
                rope.Report("rope_type", $"one of default, linear, dynamic, yarn, llama3, longrope was expected, found \"{name}\"");
                return RopeScalingKind.None;
        }
    }
}
