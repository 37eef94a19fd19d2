using System.Runtime.InteropServices;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>Folders as bitsandbytes, GPTQ and AWQ programs write them, and what transformers computes with them (NOTE of the goldens).</summary>
public sealed class QuantizedModelTests
{
    [Theory]
    [InlineData("nf4-llama", DType.NF4DQ)]
    [InlineData("fp4-qwen2-plain", DType.FP4)]
    [InlineData("int8-llama", DType.Int8Row)]
    [InlineData("gptq-llama", DType.U4G32)]
    [InlineData("awq-llama", DType.U4G32)]
    public void Logits_agree_and_weights_stay_packed(string name, DType storage)
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("quant", name));
        model.Modules.OfType<Linear>().Where(layer => layer != model.OutputEmbedding).ShouldAllBe(layer => layer.Weight.Value.Type == storage);
        model.UnusedWeights.ShouldBeEmpty();
        using ITensorSource io = TensorFiles.Open(GoldenData.Path("quant", name + "-io.safetensors"));
        foreach (string stored in io.Names.Where(tensor => tensor.StartsWith("dequantised.", StringComparison.Ordinal)))
        {
            Parameter weight = model.Parameters.Single(parameter => "dequantised." + parameter.Name == stored);
            weight.Value.ToSingles().ShouldBe(Floats(io, stored), stored);
        }
        LargestDifference(model, io, "logits").ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void A_model_that_was_merged_and_quantised_again_is_read_too()
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("quant", "qlora-merged"));
        using ITensorSource io = TensorFiles.Open(GoldenData.Path("quant", "qlora-merged-io.safetensors"));
        LargestDifference(model, io, "logits_merged_4bit").ShouldBeLessThan(1e-4f);
    }

    private static float LargestDifference(CausalLm model, ITensorSource io, string key)
    {
        long[] ids = MemoryMarshal.Cast<byte, long>(io.Find("input_ids")!.Bytes.Span).ToArray(), mask = MemoryMarshal.Cast<byte, long>(io.Find("attention_mask")!.Bytes.Span).ToArray();
        int length = (int)io.Find("input_ids")!.Shape[1];
        RaggedBatch batch = new();
        int[] kept = [.. Enumerable.Range(0, ids.Length).Where(i => mask[i] == 1)];
        foreach (IGrouping<int, int> row in kept.GroupBy(i => i / length))
            batch.Add([.. row.Select(i => (int)ids[i])]);
        using Tape tape = new();
        Step step = new(tape);
        step.Begin(batch);
        Tensor logits = model.Logits(step, model.Hidden(step));
        float[] expected = Floats(io, key);
        float most = 0;
        for (int i = 0; i < kept.Length; i++)
        {
            Span<float> row = logits.Row(i);
            for (int j = 0; j < row.Length; j++)
                most = Math.Max(most, Math.Abs(row[j] - expected[kept[i] * row.Length + j]));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference {most}");
        return most;
    }

    private static float[] Floats(ITensorSource source, string name)
    {
        StoredTensor stored = source.Find(name)!;
        return Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape)).ToSingles();
    }
}
