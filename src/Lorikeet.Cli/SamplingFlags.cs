using System.CommandLine;
using System.Globalization;
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
    /// <param name="parse">What was typed.</param>
    /// <param name="model">What the model's makers would have where nothing was typed.</param>
    /// <exception cref="Tensors.InputException">Options lie outside their range; all are listed.</exception>
    public GenerationRequest Read(ParseResult parse, SamplingOptions? model = null)
    {
        model ??= new SamplingOptions();
        bool draws = !model.IsGreedy || parse.GetValue(_topK) > 0 || parse.GetValue(_topP) < 1 || parse.GetValue(_minP) > 0;
        double temperature = parse.GetValue(_temperature) ?? (draws ? model.IsGreedy ? 1 : model.Temperature : 0);
        if (temperature == 0)
            model = new SamplingOptions { RepetitionPenalty = model.RepetitionPenalty }; // the rest says how to draw
        SamplingOptions sampling = new()
        {
            Temperature = temperature,
            TopK = Typed(_topK, model.TopK),
            TopP = Typed(_topP, model.TopP),
            MinP = Typed(_minP, model.MinP),
            RepetitionPenalty = Typed(_repetition, model.RepetitionPenalty),
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

        T Typed<T>(Option<T> option, T otherwise) => parse.GetResult(option) is { Implicit: false } ? parse.GetValue(option)! : otherwise;
    }

    /// <summary>The same with what the model's makers would have, and a line that says so where it makes a difference.</summary>
    public GenerationRequest Read(ParseResult parse, ModelPackage package, Terminal terminal)
    {
        GenerationRequest typed = Read(parse), request = Read(parse, package.Sampling);
        SamplingOptions sampling = request.Sampling;
        if (sampling with { Seed = typed.Sampling.Seed } != typed.Sampling)
        {
            List<string> parts = sampling.IsGreedy ? [] : [Part("temperature", sampling.Temperature)];
            if (!sampling.IsGreedy && sampling.TopK > 0)
                parts.Add(Part("top-k", sampling.TopK));
            if (!sampling.IsGreedy && sampling.TopP < 1)
                parts.Add(Part("top-p", sampling.TopP));
            if (!sampling.IsGreedy && sampling.MinP > 0)
                parts.Add(Part("min-p", sampling.MinP));
            if (sampling.RepetitionPenalty != 1)
                parts.Add(Part("repetition-penalty", sampling.RepetitionPenalty));
            terminal.Error.WriteLine($"note: the model's generation_config.json asks for {string.Join(", ", parts)}; options override it{(sampling.IsGreedy ? "" : ", --temperature 0 takes the likeliest token")}");
        }
        return request;
    }

    private static string Part(string name, double value) => string.Create(CultureInfo.InvariantCulture, $"{name} {value}");
}
