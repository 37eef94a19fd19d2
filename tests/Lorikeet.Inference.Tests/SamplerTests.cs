using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Inference.Tests;

/// <summary>Penalties and filters against transformers' processors (see the NOTE beside the goldens), and what drawing promises.</summary>
public sealed class SamplerTests : IDisposable
{
    private const int Vocabulary = 64;
    private const int Prompt = 5;
    private static readonly string[] Filters = ["temperature", "top_k", "top_p", "min_p"];
    private static readonly string[] Penalties = ["repetition_penalty", "frequency_presence_penalty", "repetition_then_frequency_presence"];
    private static readonly JsonNode Index = JsonNode.Parse(File.ReadAllText(GoldenData.Path("generation", "index.json")))!;
    private readonly ITensorSource _io = TensorFiles.Open(GoldenData.Path("generation", "io.safetensors"));

    public static TheoryData<int> FilterCases => [.. Cases(Filters).Where(n => Processor(n)["params"]!["min_tokens_to_keep"] is null)];

    public static TheoryData<int> PenaltyCases => [.. Cases(Penalties)];

    public static TheoryData<int> Pipelines =>
        [.. Index["pipelines"]!.AsArray().Where(p => p!["config"]!.AsObject().All(o => Filters.Contains(o.Key) || o.Key == "repetition_penalty")).Select(p => (int)p!["pipeline"]!)];

    [Theory]
    [MemberData(nameof(PenaltyCases))]
    public void Penalties_change_logits_as_the_reference_does(int number)
    {
        JsonNode golden = Processor(number);
        JsonObject options = golden["params"]!.AsObject();
        SamplingOptions sampling = new()
        {
            RepetitionPenalty = (double?)options["penalty"] ?? 1,
            FrequencyPenalty = (double?)options["frequency_penalty"] ?? 0,
            PresencePenalty = (double?)options["presence_penalty"] ?? 0,
        };
        for (int row = 0; row < 2; row++)
        {
            int[] ids = Ids((string)golden["input"]!, row);
            // what the repetition penalty leaves out of the prompt is as if it were not there
            ids = ids[((int?)options["prompt_ignore_length"] ?? 0)..];
            int prompt = options.ContainsKey("prompt_length") ? Prompt : ids.Length;
            SamplingState state = new(sampling, Vocabulary, ids.AsSpan(0, prompt));
            foreach (int id in ids[prompt..])
                state.Count(id);
            float[] logits = Scores((string)golden["input"]!, row);
            Sampler.Penalize(logits, state);
            float[] expected = Row($"case.{number}.out", row);
            for (int token = 0; token < Vocabulary; token++)
            {
                if (expected[token] == float.NegativeInfinity)
                    logits[token].ShouldBe(expected[token], $"row {row}, token {token}");
                else
                    logits[token].ShouldBe(expected[token], 1e-5f, $"row {row}, token {token}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(FilterCases))]
    public void Filters_leave_the_tokens_that_the_reference_leaves(int number)
    {
        JsonNode golden = Processor(number);
        for (int row = 0; row < 2; row++)
        {
            Sampler sampler = new(Vocabulary);
            sampler.Filter(Scores((string)golden["input"]!, row), Options(golden["params"]!.AsObject()));
            sampler.Tokens.Length.ShouldBe((int)golden["kept"]![row]!, $"row {row}");
            Compare(sampler, Row($"case.{number}.out", row), (string)golden["input"]!);
        }
    }

    [Theory]
    [MemberData(nameof(Pipelines))]
    public void All_steps_in_a_row_come_in_the_order_of_the_reference(int number)
    {
        JsonNode golden = Index["pipelines"]!.AsArray()[number]!;
        SamplingOptions options = Options(golden["config"]!.AsObject());
        for (int row = 0; row < 2; row++)
        {
            string input = (string)golden["input"]!;
            float[] logits = Scores(input, row);
            Sampler sampler = new(Vocabulary);
            Sampler.Penalize(logits, new SamplingState(options, Vocabulary, Ids(input, row)));
            sampler.Filter(logits, options);
            Compare(sampler, Row($"pipeline.{number}.out", row), input);
        }
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        float[] logits = [0, MathF.Log(2), MathF.Log(5), float.NegativeInfinity];
        Sampler sampler = new(logits.Length);
        SamplingState state = new(new SamplingOptions { Temperature = 1, Seed = 7 }, logits.Length, []);
        int[] counts = new int[logits.Length];
        const int draws = 20000;
        for (int i = 0; i < draws; i++)
            counts[sampler.Next([.. logits], state)]++;
        counts[3].ShouldBe(0);
        for (int token = 0; token < 3; token++)
        {
            double p = MathF.Exp(logits[token]) / 8, sigma = Math.Sqrt(p * (1 - p) / draws);
            ((double)counts[token] / draws).ShouldBe(p, 4 * sigma);
        }
    }

    [Fact]
    public void The_same_seed_draws_the_same_tokens_and_another_one_others()
    {
        int[] Draw(ulong seed)
        {
            Sampler sampler = new(Vocabulary);
            SamplingState state = new(new SamplingOptions { Temperature = 1, Seed = seed }, Vocabulary, []);
            return [.. Enumerable.Range(0, 40).Select(_ => sampler.Next(Scores("normal", 0), state))];
        }
        Draw(1).ShouldBe(Draw(1));
        Draw(1).ShouldNotBe(Draw(2));
    }

    [Fact]
    public void A_temperature_near_zero_draws_the_likeliest()
    {
        Sampler sampler = new(Vocabulary);
        SamplingState greedy = new(new SamplingOptions(), Vocabulary, []), cold = new(new SamplingOptions { Temperature = 1e-6 }, Vocabulary, []);
        sampler.Next(Scores("normal", 0), cold).ShouldBe(sampler.Next(Scores("normal", 0), greedy));
    }

    [Fact]
    public void Logits_that_are_no_numbers_are_refused()
    {
        Sampler sampler = new(2);
        SamplingState state = new(new SamplingOptions(), 2, []);
        Should.Throw<InputException>(() => sampler.Next([float.NaN, float.NaN], state)).Message.ShouldContain("damaged");
    }

    [Fact]
    public void Options_outside_their_range_are_all_named()
    {
        InputException error = Should.Throw<InputException>(() => new SamplingOptions { Temperature = -1, TopP = 2, MinP = double.NaN, TopK = -3, RepetitionPenalty = 0 }.Check());
        error.Problems.Count.ShouldBe(5);
    }

    public void Dispose() => _io.Dispose();

    private static IEnumerable<int> Cases(string[] names) => Index["processors"]!.AsArray().Where(p => names.Contains((string)p!["name"]!)).Select(p => (int)p!["case"]!);

    private static JsonNode Processor(int number) => Index["processors"]!.AsArray()[number]!;

    private static SamplingOptions Options(JsonObject options) => new()
    {
        Temperature = (double?)options["temperature"] ?? 1,
        TopK = (int?)options["top_k"] ?? 0,
        TopP = (double?)options["top_p"] ?? 1,
        MinP = (double?)options["min_p"] ?? 0,
        RepetitionPenalty = (double?)options["repetition_penalty"] ?? 1,
    };

    // where logits are equal, which of them stay is the sort's affair: the values are the same
    private static void Compare(Sampler sampler, float[] expected, string input)
    {
        double sum = 0, expectedSum = expected.Sum(logit => Math.Exp(logit - expected.Max()));
        foreach (float weight in sampler.Weights)
            sum += weight;
        (int Token, double P)[] ours = [.. sampler.Tokens.ToArray().Zip(sampler.Weights.ToArray(), (token, weight) => (token, weight / sum))];
        (int Token, double P)[] theirs = [.. Enumerable.Range(0, expected.Length).Where(token => expected[token] > float.NegativeInfinity)
            .Select(token => (token, Math.Exp(expected[token] - expected.Max()) / expectedSum))];
        bool ties = input is "ties" or "flat";
        ours = ties ? [.. ours.OrderBy(pair => pair.P)] : [.. ours.OrderBy(pair => pair.Token)];
        theirs = ties ? [.. theirs.OrderBy(pair => pair.P)] : theirs;
        if (!ties)
            ours.Select(pair => pair.Token).ShouldBe(theirs.Select(pair => pair.Token));
        ours.Length.ShouldBe(theirs.Length);
        for (int i = 0; i < ours.Length; i++)
            ours[i].P.ShouldBe(theirs[i].P, 1e-6);
    }

    private int[] Ids(string input, int row)
    {
        StoredTensor tensor = _io.Find($"input.{input}.ids")!;
        int length = (int)tensor.Shape[1];
        return [.. MemoryMarshal.Cast<byte, long>(tensor.Bytes.Span).Slice(row * length, length).ToArray().Select(id => (int)id)];
    }

    private float[] Scores(string input, int row) => Row($"input.{input}.scores", row);

    private float[] Row(string name, int row) => MemoryMarshal.Cast<byte, float>(_io.Find(name)!.Bytes.Span).Slice(row * Vocabulary, Vocabulary).ToArray();
}
