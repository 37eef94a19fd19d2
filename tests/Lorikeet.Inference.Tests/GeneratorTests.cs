using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Inference.Tests;

/// <summary>Texts that are written together: each as if it were alone, as transformers writes it.</summary>
public class GeneratorTests
{
    private static readonly string[] Known = ["max_new_tokens", "do_sample", "eos_token_id", "repetition_penalty"];
    private static readonly JsonNode Index = JsonNode.Parse(File.ReadAllText(GoldenData.Path("generation", "index.json")))!;

    public static TheoryData<int> GreedyCases =>
    [
        .. Index["generation"]!.AsArray()
            .Where(golden => golden!["options"]!.AsObject().All(option => Known.Contains(option.Key)) && Directory.Exists(Folder(golden)))
            .Select(golden => (int)golden!["case"]!),
    ];

    [Theory]
    [MemberData(nameof(GreedyCases))]
    public void A_batch_of_prompts_of_different_lengths_gives_the_tokens_of_the_reference(int number)
    {
        JsonNode golden = Index["generation"]!.AsArray()[number]!;
        using CausalLm model = ModelLoader.Load(Folder(golden));
        // two at a time: the third prompt joins when another is done
        using Generator generator = new(model, maxBatch: 2);
        int[] ends = golden["options"]!["eos_token_id"] switch
        {
            null => [],
            JsonArray several => [.. several.Select(id => (int)id!)],
            JsonNode one => [(int)one],
        };
        Generation[] texts =
        [
            .. Prompts(number).Select(prompt => generator.Add(new GenerationRequest
            {
                Prompt = prompt,
                MaxTokens = (int)golden["options"]!["max_new_tokens"]!,
                EndTokens = ends,
                Sampling = new SamplingOptions { RepetitionPenalty = (double?)golden["options"]!["repetition_penalty"] ?? 1 },
            })),
        ];
        generator.Run(TestContext.Current.CancellationToken);
        for (int row = 0; row < texts.Length; row++)
        {
            int[] expected = [.. golden["sequences"]![row]!.AsArray().Select(id => (int)id!)];
            int end = Array.FindIndex(expected, id => ends.Contains(id));
            texts[row].Tokens.ToArray().ShouldBe(end < 0 ? expected : expected[..(end + 1)], $"row {row}");
            texts[row].Finish.ShouldBe(end < 0 ? FinishReason.Length : FinishReason.EndToken);
        }
    }

    [Fact]
    public void What_is_written_does_not_depend_on_what_else_is_being_written()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        int[][] prompts = [.. Enumerable.Range(1, 7).Select(n => Enumerable.Range(0, n * 3).Select(i => 3 + (i * 37 + n * 11) % 500).ToArray())];
        GenerationRequest Request(int i) => new() { Prompt = prompts[i], MaxTokens = 5 + i * 2, Sampling = new SamplingOptions { Temperature = 1.2, TopP = 0.95, PresencePenalty = 0.4, Seed = (ulong)i } };
        using Generator together = new(model, maxBatch: 3) { PrefillChunk = 20 };
        Generation[] all = [.. prompts.Select((_, i) => together.Add(Request(i)))];
        together.Run(TestContext.Current.CancellationToken);
        for (int i = 0; i < prompts.Length; i++)
        {
            using Generator alone = new(model);
            Generation single = alone.Add(Request(i));
            alone.Run(TestContext.Current.CancellationToken);
            all[i].Tokens.ToArray().ShouldBe(single.Tokens.ToArray(), $"prompt {i}");
        }
    }

    [Fact]
    public void LongRope_computes_its_keys_anew_when_a_text_outgrows_the_original_context()
    {
        string folder = GoldenData.Path("models", "phi3-longrope-long");
        using CausalLm model = ModelLoader.Load(folder);
        using ITensorSource io = TensorFiles.Open(Path.Combine(folder, "io.safetensors"));
        int[] expected = Ids(io, "gen.new_ids");
        using Generator generator = new(model);
        Generation text = generator.Add(new GenerationRequest { Prompt = Ids(io, "gen.input_ids"), MaxTokens = expected.Length });
        generator.Run(TestContext.Current.CancellationToken);
        text.Tokens.ToArray().ShouldBe(expected);
    }

    [Fact]
    public void A_short_text_keeps_its_rotations_beside_one_that_has_outgrown_the_original_context()
    {
        string folder = GoldenData.Path("models", "phi3-longrope-long");
        using CausalLm model = ModelLoader.Load(folder);
        using Generator together = new(model), alone = new(model);
        GenerationRequest brief = new() { Prompt = [3, 5], MaxTokens = 5 };
        Generation single = alone.Add(brief);
        alone.Run(TestContext.Current.CancellationToken);
        together.Add(new GenerationRequest { Prompt = [4, 9, 2, 7, 11, 6, 8, 3, 12, 10], MaxTokens = 8 });
        Generation beside = together.Add(brief);
        together.Run(TestContext.Current.CancellationToken);
        beside.Tokens.ToArray().ShouldBe(single.Tokens.ToArray());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.9, 4)]
    [InlineData(0.9, 4, true)]
    public void A_token_allocates_no_managed_memory(double temperature, int texts, bool adapted = false)
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        if (adapted)
            AdapterFile.Create(model, PeftRegistry.OfRecipe("lora"), new JsonObject { ["target_modules"] = "all-linear" }).Attach();
        using Generator generator = new(model, maxBatch: texts);
        for (int i = 0; i < texts; i++)
        {
            generator.Add(new GenerationRequest
            {
                Prompt = [1, 2 + i, 3],
                MaxTokens = 200,
                Sampling = new SamplingOptions { Temperature = temperature, TopK = 40, TopP = 0.9, MinP = 0.01, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1 },
            });
        }
        for (int i = 0; i < 60; i++)
            generator.Next().ShouldBeTrue();
        // what recurs is in both stretches; what happens once in a process (a static table, a measurement of kernels) in one of them
        Math.Min(AllocatedBy(generator, 50), AllocatedBy(generator, 50)).ShouldBe(0);
    }

    private static long AllocatedBy(Generator generator, int tokens)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < tokens; i++)
            generator.Next();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void Text_arrives_piece_by_piece_and_never_runs_into_a_stop_string()
    {
        using TinyModelFolder folder = new();
        using ModelPackage package = ModelPackage.Open(folder.Path);
        using Generator generator = new(package.Model, package.Tokenizer);
        GenerationRequest request = new() { Prompt = package.Tokenizer.EncodeIds("Once"), MaxTokens = 40 };
        Generation whole = generator.Add(request);
        generator.Run(TestContext.Current.CancellationToken);
        whole.Text.ShouldBe(package.Tokenizer.Decode(whole.Tokens, skipSpecial: true));
        string stop = whole.Text[10..13];
        StringBuilder pieces = new();
        Generation cut = generator.Add(request with { Stop = [stop, "never in it"], TextArrived = piece => pieces.Append(piece) });
        generator.Run(TestContext.Current.CancellationToken);
        cut.Text.ShouldBe(whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)]);
        cut.Finish.ShouldBe(FinishReason.StopString);
        pieces.ToString().ShouldBe(cut.Text);
    }

    [Fact]
    public void A_text_ends_where_the_context_does()
    {
        using TinyModelFolder folder = new();
        using CausalLm model = ModelLoader.Load(folder.Path);
        using Generator generator = new(model);
        Generation text = generator.Add(new GenerationRequest { Prompt = [.. Enumerable.Repeat(5, TinyModelFolder.Context - 4)], MaxTokens = int.MaxValue });
        generator.Run(TestContext.Current.CancellationToken);
        text.Finish.ShouldBe(FinishReason.ContextFull);
        text.Tokens.Length.ShouldBe(4);
    }

    [Fact]
    public void A_prompt_that_cannot_be_continued_is_refused_with_its_reasons()
    {
        using TinyModelFolder folder = new();
        using CausalLm model = ModelLoader.Load(folder.Path);
        using Generator generator = new(model);
        Refuse(new GenerationRequest { Prompt = [] }, "empty");
        Refuse(new GenerationRequest { Prompt = [.. Enumerable.Repeat(5, TinyModelFolder.Context)] }, "leaves no room");
        Refuse(new GenerationRequest { Prompt = [1, 512] }, "token 512");
        Refuse(new GenerationRequest { Prompt = [1], MaxTokens = 0 }, "at most 0 tokens");
        Refuse(new GenerationRequest { Prompt = [1], Stop = [""] }, "stop string");
        generator.Unfinished.ShouldBe(0);

        void Refuse(GenerationRequest request, string reason) => Should.Throw<InputException>(() => generator.Add(request)).Message.ShouldContain(reason);
    }

    [Fact]
    public void An_interrupted_run_can_go_on_or_be_given_up()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Generator generator = new(model);
        Generation text = generator.Add(new GenerationRequest { Prompt = [1, 2, 3], MaxTokens = 10 });
        generator.Next();
        Should.Throw<OperationCanceledException>(() => generator.Run(new CancellationToken(canceled: true)));
        text.Tokens.Length.ShouldBe(1);
        generator.Next();
        text.Tokens.Length.ShouldBe(2);
        generator.Abandon();
        generator.Next().ShouldBeFalse();
        text.Finish.ShouldBeNull();
    }

    [Fact]
    public void A_listener_that_throws_spoils_no_other_text()
    {
        using TinyModelFolder folder = new();
        using ModelPackage package = ModelPackage.Open(folder.Path);
        using Generator generator = new(package.Model, package.Tokenizer, maxBatch: 3);
        bool thrown = false;
        Generation done = generator.Add(Request(0) with { MaxTokens = 1 });
        Generation listened = generator.Add(Request(1) with
        {
            TextArrived = _ =>
            {
                if (!thrown)
                {
                    thrown = true;
                    throw new IOException("nobody listens any more");
                }
            },
        });
        Generation behind = generator.Add(Request(2));
        Should.Throw<IOException>(() => generator.Run(TestContext.Current.CancellationToken));
        generator.Unfinished.ShouldBe(2);
        Generation third = generator.Add(Request(3)), fourth = generator.Add(Request(4));
        generator.Run(TestContext.Current.CancellationToken);
        foreach ((Generation text, int i) in ((Generation, int)[])[(listened, 1), (behind, 2), (third, 3), (fourth, 4)])
            text.Tokens.ToArray().ShouldBe(Alone(i), $"text {i}");
        done.Finish.ShouldBe(FinishReason.Length);
        generator.Unfinished.ShouldBe(0);

        GenerationRequest Request(int i) => new() { Prompt = package.Tokenizer.EncodeIds($"Text number {i} begins"), MaxTokens = 8, Sampling = new SamplingOptions { Temperature = 1, Seed = (ulong)i } };

        int[] Alone(int i)
        {
            using Generator other = new(package.Model, package.Tokenizer);
            Generation text = other.Add(Request(i));
            other.Run(TestContext.Current.CancellationToken);
            return text.Tokens.ToArray();
        }
    }

    [Fact]
    public void A_listener_that_throws_at_the_last_token_finds_the_text_finished()
    {
        using TinyModelFolder folder = new();
        using ModelPackage package = ModelPackage.Open(folder.Path);
        using Generator generator = new(package.Model, package.Tokenizer);
        Generation text = generator.Add(new GenerationRequest
        {
            Prompt = package.Tokenizer.EncodeIds("Once upon a time"),
            MaxTokens = 1,
            TextArrived = _ => throw new IOException("nobody listens any more"),
        });
        Should.Throw<IOException>(() => generator.Next());
        text.Finish.ShouldBe(FinishReason.Length);
        generator.Next().ShouldBeFalse();
    }

    [Fact]
    public void A_text_takes_memory_when_its_turn_comes()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Generator generator = new(model, maxBatch: 2);
        GenerationRequest request = new() { Prompt = [1, 2, 3], MaxTokens = 200, Sampling = new SamplingOptions { RepetitionPenalty = 1.2 } };
        Generation[] texts = [.. Enumerable.Range(0, 50).Select(_ => generator.Add(request))];
        texts.ShouldAllBe(text => text.Keys == null);
        generator.Next();
        texts.Count(text => text.Keys != null).ShouldBe(2);
        generator.Abandon();
        texts[^1].Tokens.Length.ShouldBe(0);
        Should.Throw<InputException>(() => generator.Add(request with { Sampling = new SamplingOptions { TopP = 3 } })).Message.ShouldContain("TopP");
        generator.Unfinished.ShouldBe(0);
    }

    [Fact]
    public void Pages_of_texts_that_are_done_serve_the_next()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Generator generator = new(model, maxBatch: 2);
        long held = 0;
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 4; i++)
                generator.Add(new GenerationRequest { Prompt = [.. Enumerable.Repeat(3 + i, 70)], MaxTokens = 40 });
            generator.Run(TestContext.Current.CancellationToken);
            if (round == 0)
                held = generator.KvBytes;
            generator.KvBytes.ShouldBe(held);
        }
        held.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.I8)]
    public void Rounded_keys_and_values_take_less_memory_and_the_same_ones_give_the_same_text(DType type)
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Generator full = new(model), one = new(model) { KvCacheType = type }, other = new(model) { KvCacheType = type };
        int[][] texts = [.. ((Generator[])[full, one, other]).Select(generator =>
        {
            Generation text = generator.Add(new GenerationRequest { Prompt = [.. Enumerable.Range(3, 40)], MaxTokens = 30 });
            generator.Run(TestContext.Current.CancellationToken);
            return text.Tokens.ToArray();
        })];
        texts[1].ShouldBe(texts[2]);
        ((double)one.KvBytes / full.KvBytes).ShouldBe(type == DType.I8 ? 0.25 + 1.0 / model.Facts.HeadDim : 0.5, 0.01);
    }

    private static string Folder(JsonNode? golden) => GoldenData.Path("models", Path.GetFileName((string)golden!["model"]!));

    // left padding is left out
    private static IEnumerable<int[]> Prompts(int number)
    {
        using ITensorSource io = TensorFiles.Open(GoldenData.Path("generation", "io.safetensors"));
        int[] ids = Ids(io, $"gen.{number}.input_ids"), mask = Ids(io, $"gen.{number}.attention_mask");
        int length = (int)io.Find($"gen.{number}.input_ids")!.Shape[1];
        for (int row = 0; row < ids.Length / length; row++)
            yield return [.. Enumerable.Range(row * length, length).Where(i => mask[i] == 1).Select(i => ids[i])];
    }

    private static int[] Ids(ITensorSource io, string name) => [.. MemoryMarshal.Cast<byte, long>(io.Find(name)!.Bytes.Span).ToArray().Select(id => (int)id)];
}
