using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>Models written as GGUF files and read back.</summary>
public sealed class GgufExportTests : IDisposable
{
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("lorikeet-");

    private string Target => Path.Combine(_temporary.FullName, "model.gguf");

    public void Dispose() => _temporary.Delete(recursive: true);

    [Theory]
    [InlineData("llama")]
    [InlineData("llama-tied")]
    [InlineData("llama-mha-bias")]
    [InlineData("llama-rope-linear")]
    [InlineData("llama-rope-llama3")]
    [InlineData("mistral-window")]
    [InlineData("phi3")]
    [InlineData("phi3-longrope-short")]
    [InlineData("phi3-longrope-long")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void A_written_file_computes_the_same(string name)
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("models", name));
        GgufExport.Write(model, Target, DType.F32, [], stop: TestContext.Current.CancellationToken);
        using CausalLm again = ModelLoader.Load(Target);
        float[] expected = Logits(model), found = Logits(again);
        for (int i = 0; i < expected.Length; i++)
            found[i].ShouldBe(expected[i], 1e-5f, $"number {i}");
    }

    [Fact]
    public void Vectors_in_blocks_are_turned_number_by_number()
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("models", "llama-mha-bias"));
        GgufExport.Write(model, Target, DType.F32, [], stop: TestContext.Current.CancellationToken);
        string blocks = Path.Combine(_temporary.FullName, "blocks.gguf");
        using (GgufFile file = GgufFile.Open(Target))
        {
            GgufWriter.Write(blocks, [.. file.Metadata], [.. file.Names.Select(name =>
            {
                StoredTensor stored = file.Find(name)!;
                Tensor value = Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape));
                Tensor written = name.EndsWith("attn_q.bias", StringComparison.Ordinal) || name.EndsWith("attn_k.bias", StringComparison.Ordinal) ? value.To(DType.Q8_0) : value;
                return new GgufEntry(name, written.Type, stored.Shape, written.Contents.CopyTo);
            })]);
        }
        using CausalLm again = ModelLoader.Load(blocks);
        foreach ((Parameter expected, Parameter found) in model.Parameters.Zip(again.Parameters).Where(pair => pair.First.Name.EndsWith("_proj.bias", StringComparison.Ordinal)))
        {
            for (int i = 0; i < expected.Shape.Columns; i++)
                found.Value.Values[i].ShouldBe(expected.Value.Values[i], 1e-2f, $"{found.Name} {i}");
        }
    }

    [Theory]
    [InlineData("llama-rope-dynamic", "dynamic")]
    [InlineData("llama-rope-yarn-mscale", "yarn")]
    [InlineData("llama-mqa-head16", "SiLU")]
    [InlineData("smollm3", "without positions")]
    [InlineData("gpt2", "gpt2")]
    [InlineData("qwen2-window", "windows")]
    public void What_the_format_cannot_say_is_refused_and_nothing_is_written(string name, string reason)
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("models", name));
        Should.Throw<InputException>(() => GgufExport.Write(model, Target, DType.F32, [])).Message.ShouldContain(reason);
        _temporary.GetFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public void Metadata_are_kept()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        KeyValuePair<string, object>[] text =
        [
            new("general.name", "tïny"), new("tokenizer.ggml.tokens", new[] { "a", "▁b" }), new("tokenizer.ggml.scores", new[] { 0.5f, -1f }),
            new("tokenizer.ggml.token_type", new[] { 1, 3 }), new("tokenizer.ggml.add_bos_token", true), new("x.wide", 1L << 40), new("x.double", 0.1),
        ];
        GgufExport.Write(model, Target, DType.Q8_0, text, stop: TestContext.Current.CancellationToken);
        using GgufFile file = GgufFile.Open(Target);
        foreach ((string key, object value) in text)
            file.Metadata[key].ShouldBe(value);
    }

    [Theory]
    [InlineData(DType.Q4_0, 576, false, DType.Q4_0)]
    [InlineData(DType.Q4_0, 576, true, DType.Q8_0)]
    [InlineData(DType.Q4_K, 576, false, DType.Q5_0)]
    [InlineData(DType.Q4_K, 1536, false, DType.Q4_K)]
    [InlineData(DType.Q6_K, 576, true, DType.Q8_0)]
    [InlineData(DType.Q5_K, 576, false, DType.Q5_1)]
    [InlineData(DType.Q2_K, 576, false, DType.IQ4_NL)]
    [InlineData(DType.Q3_K, 576, true, DType.Q8_0)]
    [InlineData(DType.Q3_K, 1536, true, DType.Q6_K)]
    [InlineData(DType.IQ4_XS, 576, false, DType.IQ4_NL)]
    [InlineData(DType.IQ4_NL, 576, true, DType.Q8_0)]
    [InlineData(DType.TQ1_0, 576, false, DType.Q4_0)]
    [InlineData(DType.TQ2_0, 768, false, DType.TQ2_0)]
    [InlineData(DType.Q4_K, 172, false, DType.F16)]
    [InlineData(DType.Q8_0, 172, false, DType.F16)]
    [InlineData(DType.F32, 172, true, DType.F32)]
    public void A_matrix_takes_the_type_that_fits_its_rows(DType asked, int columns, bool isHead, DType stored) => GgufExport.StorageOf(asked, columns, isHead).ShouldBe(stored);

    [Fact]
    public void Packed_weights_are_close_to_what_they_were()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        float[] expected = Logits(model);
        double size = Math.Sqrt(expected.Average(x => x * (double)x)), before = 0;
        foreach (DType type in (DType[])[DType.Q8_0, DType.Q5_0, DType.Q4_0])
        {
            GgufExport.Write(model, Target, type, [], stop: TestContext.Current.CancellationToken);
            using CausalLm again = ModelLoader.Load(Target);
            again.Parameters.ShouldContain(parameter => parameter.Value.Type == type);
            double error = Math.Sqrt(Logits(again).Zip(expected, (x, y) => Math.Pow(x - y, 2)).Average()) / size;
            error.ShouldBeInRange(before, 0.3, type.ToString());
            before = error;
        }
    }

    /// <summary>A model with rows of 256 and what llama.cpp's own files of it compute (golden-random256-gguf).</summary>
    [Theory]
    [InlineData(DType.Q2_K, "Q2_K")]
    [InlineData(DType.Q3_K, "Q3_K_S")]
    [InlineData(DType.Q4_K, "Q4_K_S")]
    [InlineData(DType.Q5_K, "Q5_K_S")]
    [InlineData(DType.Q6_K, "Q6_K")]
    [InlineData(DType.IQ4_NL, "IQ4_NL")]
    [InlineData(DType.IQ4_XS, "IQ4_XS")]
    public void Every_matrix_comes_as_close_as_the_same_type_in_a_file_of_llama_cpp(DType type, string theirs)
    {
        using ITensorSource source = TensorFiles.Open(GoldenData.Shared("golden-random256-gguf", "random256-F32.gguf"));
        using ITensorSource packed = TensorFiles.Open(GoldenData.Shared("golden-random256-gguf", $"random256-{theirs}.gguf"));
        int compared = 0;
        foreach (string name in packed.Names.Where(name => packed.Find(name)!.Type == type))
        {
            Tensor before = Read(source, name), reference = Read(packed, name);
            double ours = WeightError.Between(name, before, before.To(type), type, 0).Relative, bound = WeightError.Between(name, before, reference, type, 0).Relative;
            ours.ShouldBeLessThan(1.02 * bound, name);
            compared++;
        }
        compared.ShouldBeGreaterThan(0);

        static Tensor Read(ITensorSource file, string name) => Tensor.FromStored(file.Find(name)!, Shape.From(file.Find(name)!.Shape));
    }

    private static float[] Logits(CausalLm model)
    {
        using Tape tape = new();
        Step step = new(tape);
        RaggedBatch batch = new();
        batch.Add([.. Enumerable.Range(0, 14).Select(i => 1 + i * 7 % 60)]);
        step.Begin(batch);
        return model.Logits(step, model.Hidden(step)).Values.ToArray();
    }
}
