using System.Globalization;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>How the next token is chosen. The defaults choose the likeliest one.</summary>
public sealed record SamplingOptions
{
    /// <summary>Divides the logits: below 1 the choice is bolder, above it more random; 0 always takes the likeliest token.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the so many likeliest tokens, and those as likely as the last of them; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the likeliest tokens that together have this probability (nucleus sampling, Holtzman et al. 2019, arXiv:1904.09751); 1 for all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only tokens at least this times as likely as the likeliest (Nguyen et al. 2024, arXiv:2407.01082); 0 for all.</summary>
    public double MinP { get; init; }

    /// <summary>
    /// Divides the positive and multiplies the negative logits of tokens that occur in the prompt or the answer (CTRL, Keskar et al. 2019, arXiv:1909.05858); 1 for
    /// none.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Is taken off the logits of tokens that occur in the answer; 0 for none.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Is taken off the logit of a token for each time that it occurs in the answer; 0 for none.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>The same seed gives the same text.</summary>
    public ulong Seed { get; init; }

    /// <summary>True where nothing is drawn.</summary>
    public bool IsGreedy => Temperature == 0;

    internal bool Penalizes => RepetitionPenalty != 1 || PresencePenalty != 0 || FrequencyPenalty != 0;

    /// <summary>Refuses what has no meaning.</summary>
    /// <param name="nameOf">What an option is called where it was set; by default what it is called here.</param>
    /// <exception cref="InputException">Options lie outside their range; all are listed.</exception>
    public void Check(Func<string, string>? nameOf = null)
    {
        List<string> problems = [];
        Expect(nameof(Temperature), Temperature, Temperature is >= 0 and <= 100, "0 to 100");
        Expect(nameof(TopK), TopK, TopK >= 0, "0 or more");
        Expect(nameof(TopP), TopP, TopP is >= 0 and <= 1, "0 to 1");
        Expect(nameof(MinP), MinP, MinP is >= 0 and <= 1, "0 to 1");
        Expect(nameof(RepetitionPenalty), RepetitionPenalty, RepetitionPenalty is > 0 and <= 100, "above 0, up to 100");
        Expect(nameof(PresencePenalty), PresencePenalty, PresencePenalty is >= -100 and <= 100, "-100 to 100");
        Expect(nameof(FrequencyPenalty), FrequencyPenalty, FrequencyPenalty is >= -100 and <= 100, "-100 to 100");
        if (problems.Count > 0)
            throw new InputException("the sampling options cannot be used", problems);

        void Expect(string name, double value, bool good, string range)
        {
            if (!good)
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"{nameOf?.Invoke(name) ?? name} is {value}; {range} was expected"));
        }
    }
}
