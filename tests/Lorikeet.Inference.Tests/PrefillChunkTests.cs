using System.Text.Json.Nodes;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Inference.Tests;

/// <summary>Prompts that are read in pieces: what is written is as if each had been read at once.</summary>
public class PrefillChunkTests
{
    private static readonly int[] Lengths = [11, 1, 19, 4, 7, 16, 2];

    [Theory]
    [InlineData("llama", 3)]
    [InlineData("gpt2", 3)]
    [InlineData("mistral-window", 3)]
    [InlineData("mistral-window", 7)]
    [InlineData("qwen2-window", 1)]
    [InlineData("qwen2-window", 5)]
    [InlineData("phi3-longrope-long", 3)]
    [InlineData("phi3-longrope-long", 5)]
    [InlineData("llama", 3, true)]
    [InlineData("mistral-window", 4, true)]
    [InlineData("phi3-longrope-long", 4, true)]
    public void Prompts_of_mixed_lengths_are_continued_in_the_same_words(string name, int chunk, bool prefix = false)
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("models", name));
        if (prefix)
            AdapterFile.Create(model, PeftRegistry.OfRecipe("prefix"), new JsonObject { ["num_virtual_tokens"] = 3 }).Attach();
        foreach (double temperature in (double[])[0, 1])
        {
            int[][] expected = Written(model, Generator.DefaultPrefillChunk, temperature), found = Written(model, chunk, temperature);
            for (int i = 0; i < expected.Length; i++)
                found[i].ShouldBe(expected[i], $"prompt {i} at temperature {temperature}");
        }
    }

    [Theory]
    [InlineData("llama", 11)]
    [InlineData("mistral-window", 20)]
    [InlineData("qwen2-window", 20)]
    [InlineData("llama-rope-dynamic", 20)]
    [InlineData("phi3-longrope-long", 20)]
    public void Logits_differ_by_rounding_only(string name, int length)
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("models", name));
        using KvPool pool = model.NewPool();
        using Tape tape = new();
        Step step = new(tape);
        float[] whole = Logits(length);
        foreach (int chunk in (int[])[1, 3, 8])
        {
            float[] pieces = Logits(chunk);
            for (int i = 0; i < whole.Length; i++)
                pieces[i].ShouldBe(whole[i], 1e-5f * Math.Max(1, Math.Abs(whole[i])), $"logit {i}, chunks of {chunk}");
        }

        float[] Logits(int chunk)
        {
            using KvCache cache = new(pool);
            ReadOnlySpan<int> ids = Prompt(length, 0);
            RaggedBatch batch = new();
            Tensor hidden = null!;
            for (int at = 0; at < length; at += chunk)
            {
                int rows = Math.Min(chunk, length - at);
                batch.Clear();
                batch.Add(ids.Slice(at, rows), at, ahead: length - at - rows);
                step.Begin(batch, [cache]);
                hidden = model.Hidden(step);
            }
            return model.Logits(step, tape.SelectRows(hidden, step.Copy([hidden.Rows - 1]))).Values.ToArray();
        }
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("mistral-window")]
    [InlineData("phi3-longrope-long")]
    public void A_prompt_cache_serves_prompts_in_pieces_also_after_one_that_was_given_up_halfway(string name)
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("models", name));
        using PromptCache cache = new();
        using Generator generator = new(model) { PrefillChunk = 4 };
        int[] first = Prompt(12, 0), longer = [.. first, .. Prompt(7, 1)], brief = first[..5];
        Continue(first);
        Continue(longer);
        Continue(brief);
        Continue(longer);
        generator.Add(new GenerationRequest { Prompt = Prompt(14, 2), Cache = cache });
        generator.Next();
        generator.Next();
        generator.Abandon();
        cache.Length.ShouldBe(8);
        Continue(Prompt(14, 2)[..6]);
        generator.Add(new GenerationRequest { Prompt = Prompt(14, 2), Cache = cache });
        generator.Next();
        generator.Abandon();
        Continue(Prompt(14, 2));

        void Continue(int[] prompt)
        {
            using Generator plain = new(model);
            Generation expected = plain.Add(new GenerationRequest { Prompt = prompt, MaxTokens = 6 });
            plain.Run(TestContext.Current.CancellationToken);
            Generation found = generator.Add(new GenerationRequest { Prompt = prompt, MaxTokens = 6, Cache = cache });
            generator.Run(TestContext.Current.CancellationToken);
            found.Tokens.ToArray().ShouldBe(expected.Tokens.ToArray(), $"{prompt.Length} tokens");
        }
    }

    [Fact]
    public void Texts_that_are_being_written_get_a_token_with_each_piece_of_a_prompt()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Generator generator = new(model) { PrefillChunk = 10 };
        Generation running = generator.Add(new GenerationRequest { Prompt = [1, 2, 3], MaxTokens = 50 });
        generator.Next();
        Generation joined = generator.Add(new GenerationRequest { Prompt = Prompt(34, 0), MaxTokens = 50 });
        Generation behind = generator.Add(new GenerationRequest { Prompt = Prompt(8, 1), MaxTokens = 50 });
        for (int pass = 2; pass <= 4; pass++)
        {
            generator.Next();
            (running.Tokens.Length, joined.Tokens.Length, behind.Tokens.Length).ShouldBe((pass, 0, 0));
        }
        // four tokens are left of the long prompt, and the next one takes the room beside them
        generator.Next();
        (running.Tokens.Length, joined.Tokens.Length, behind.Tokens.Length).ShouldBe((5, 1, 0));
        generator.Next();
        (running.Tokens.Length, joined.Tokens.Length, behind.Tokens.Length).ShouldBe((6, 2, 1));
    }

    [Fact]
    public void The_memory_of_a_long_prompt_is_that_of_a_chunk()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        long chunk = Activations(64, 64), whole = Activations(2048, 2048);
        Activations(2048, 64).ShouldBe(chunk);
        whole.ShouldBeGreaterThan(8 * chunk);

        long Activations(int tokens, int bound)
        {
            using Generator generator = new(model) { PrefillChunk = bound };
            generator.Add(new GenerationRequest { Prompt = Prompt(tokens, 0), MaxTokens = 2 });
            generator.Run(TestContext.Current.CancellationToken);
            return generator.ActivationBytes;
        }
    }

    [Fact]
    public void A_chunk_allocates_no_managed_memory()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Generator generator = new(model) { PrefillChunk = 16 };
        for (int round = 0; round < 2; round++)
        {
            generator.Add(new GenerationRequest { Prompt = [1, 2, 3], MaxTokens = 150 });
            generator.Add(new GenerationRequest { Prompt = Prompt(16 * 120, 0), MaxTokens = 1 });
            if (round == 0)
                generator.Run(TestContext.Current.CancellationToken);
        }
        generator.Next();
        // what happens once in a process is in one of the stretches, what recurs in both
        Math.Min(AllocatedBy(50), AllocatedBy(50)).ShouldBe(0);

        long AllocatedBy(int passes)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int pass = 0; pass < passes; pass++)
                generator.Next();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void A_chunk_of_nothing_is_refused()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        Should.Throw<ArgumentOutOfRangeException>(() => new Generator(model) { PrefillChunk = 0 });
    }

    private static int[][] Written(CausalLm model, int chunk, double temperature)
    {
        using Generator generator = new(model, maxBatch: 3) { PrefillChunk = chunk };
        Generation[] texts =
        [
            .. Lengths.Select((length, i) => generator.Add(new GenerationRequest
            {
                Prompt = Prompt(length, i),
                MaxTokens = 5 + i,
                Sampling = new SamplingOptions { Temperature = temperature, Seed = (ulong)i, RepetitionPenalty = 1.1 },
            })),
        ];
        generator.Run(TestContext.Current.CancellationToken);
        return [.. texts.Select(text => text.Tokens.ToArray())];
    }

    private static int[] Prompt(int length, int seed) => [.. Enumerable.Range(0, length).Select(i => 3 + (i * 37 + i / 5 + seed * 11) % 90)];
}
