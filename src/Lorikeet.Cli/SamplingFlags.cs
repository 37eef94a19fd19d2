using System.CommandLine;
using System.Text.Json;
using Lorikeet.Inference;

namespace Lorikeet.Cli;

/// <summary>The options that say how text is written; <c>generate</c> and <c>chat</c> share them.</summary>
internal sealed class SamplingFlags
{
    private readonly Option<int> _maxTokens = new("--max-tokens", "-n") { Description = "How many tokens may be written", DefaultValueFactory = _ => 256 };
    private readonly Option<double?> _temperature = new("--temperature", "-t") { Description = "0 takes the likeliest token; 1 draws as the model says (the default where another sampling option is given)" };
    private readonly Option<int> _topK = new("--top-k") { Description = "Draw from the so many likeliest tokens; 0 for all" };
    private readonly Option<double> _topP = new("--top-p") { Description = "Draw from the likeliest tokens that together have this probability", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _minP = new("--min-p") { Description = "Draw from tokens at least this times as likely as the likeliest" };
    private readonly Option<double> _repetition = new("--repetition-penalty") { Description = "Above 1: tokens that occurred, prompt included, become less likely", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _presence = new("--presence-penalty") { Description = "Taken off the logits of tokens that were written" };
    private readonly Option<double> _frequency = new("--frequency-penalty") { Description = "Taken off the logit of a token each time that it was written" };
    private readonly Option<ulong?> _seed = new("--seed") { Description = "The same seed gives the same text" };
    private readonly Option<string[]> _stop = new("--stop") { Description = "End the text where this comes out; may be repeated. \\n stands for a line break" };

    /// <summary>Gives a command these options.</summary>
    public SamplingFlags(Command command)
    {
        foreach (Option option in new Option[] { _maxTokens, _temperature, _topK, _topP, _minP, _repetition, _presence, _frequency, _seed, _stop })
            command.Options.Add(option);
    }

    /// <summary>What was typed, as a request without a prompt.</summary>
    /// <exception cref="Tensors.InputException">Options lie outside their range; all are listed.</exception>
    public GenerationRequest Read(ParseResult parse)
    {
        bool draws = parse.GetValue(_topK) > 0 || parse.GetValue(_topP) < 1 || parse.GetValue(_minP) > 0;
        SamplingOptions sampling = new()
        {
            Temperature = parse.GetValue(_temperature) ?? (draws ? 1 : 0),
            TopK = parse.GetValue(_topK),
            TopP = parse.GetValue(_topP),
            MinP = parse.GetValue(_minP),
            RepetitionPenalty = parse.GetValue(_repetition),
            PresencePenalty = parse.GetValue(_presence),
            FrequencyPenalty = parse.GetValue(_frequency),
            Seed = parse.GetValue(_seed) ?? (ulong)Random.Shared.NextInt64(1 << 30),
        };
        sampling.Check(property => "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(property));
        return new GenerationRequest
        {
            Prompt = [],
            MaxTokens = parse.GetValue(_maxTokens),
            Sampling = sampling,
            Stop = [.. (parse.GetValue(_stop) ?? []).Select(stop => stop.Replace("\\n", "\n", StringComparison.Ordinal))],
        };
    }
}
