using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>One small Llama in every block format of ggml: the blocks are used where they lie in the file, and what comes out is that of the numbers they stand for.</summary>
public class GgufBlockWeightsTests
{
    private const string Set = "golden-random256-gguf";

    [Theory]
    [InlineData("F32")]
    [InlineData("F16")]
    [InlineData("BF16")]
    [InlineData("Q4_0")]
    [InlineData("Q4_1")]
    [InlineData("Q5_0")]
    [InlineData("Q5_1")]
    [InlineData("Q8_0")]
    [InlineData("Q2_K")]
    [InlineData("Q3_K_S")]
    [InlineData("Q4_K_S")]
    [InlineData("Q4_K_M")]
    [InlineData("Q5_K_S")]
    [InlineData("Q6_K")]
    [InlineData("IQ4_NL")]
    [InlineData("IQ4_XS")]
    public void Logits_are_those_of_the_dequantised_weights_in_one_pass_and_token_by_token(string type)
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(GoldenData.Shared(Set, "logits.json")));
        int[] ids = [.. index.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
        float[] expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(GoldenData.Shared(Set, $"logits_dequant_fp64_{type}.f32"))).ToArray();
        using CausalLm model = ModelLoader.Load(GoldenData.Shared(Set, $"random256-{type}.gguf"));
        Parameter matrix = model.Parameters.First(parameter => parameter.Name.EndsWith("gate_proj.weight", StringComparison.Ordinal));
        matrix.Value.Type.ShouldBe(matrix.StoredType);
        matrix.Value.Type.IsBlocked().ShouldBe(type is not ("F32" or "F16" or "BF16"));
        Step step = new(new Tape());
        RaggedBatch batch = new();
        batch.Add(ids);
        step.Begin(batch);
        Worst(model.Logits(step, model.Hidden(step)).Values, expected).ShouldBeLessThan(1e-4f);
        using KvCache cache = new(model.NewPool());
        for (int i = 0; i < ids.Length; i++)
        {
            batch.Clear();
            batch.Add([ids[i]], i);
            step.Begin(batch, [cache]);
            Worst(model.Logits(step, model.Hidden(step)).Values, expected.AsSpan(i * 512, 512)).ShouldBeLessThan(1e-4f, $"token {i}");
        }
    }

    private static float Worst(ReadOnlySpan<float> found, ReadOnlySpan<float> expected)
    {
        float worst = 0;
        found.Length.ShouldBe(expected.Length);
        for (int i = 0; i < found.Length; i++)
            worst = Math.Max(worst, Math.Abs(found[i] - expected[i]));
        return worst;
    }
}
