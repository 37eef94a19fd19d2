using System.Text.Json.Nodes;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>What the goldens do not show of DoRA: dropout, and when its norms are computed again.</summary>
public class DoraTests
{
    [Theory]
    [InlineData("llama", "q_proj")]
    [InlineData("qwen2", "q_proj")]
    [InlineData("gpt2", "c_attn")]
    public void Dropout_acts_on_what_is_added_to_the_base(string model, string target)
    {
        using PeftGolden golden = PeftGolden.OfBase(model);
        Adapter adapter = Make(golden, target, dropout: 0.5);
        DoraLinear part = (DoraLinear)adapter.Parts[0];
        Tensor input = Input(part.Layer);
        using Tape tape = new() { Seed = 5 }, same = new() { Seed = 5 };
        Step step = new(tape) { Training = true };
        float[] plain = part.Layer.Plain(input, new Step(same)).Values.ToArray();
        Tensor seen = same.Dropout(input, 0.5f);
        adapter.Attach();
        float[] output = part.Layer.Forward(input, step).Values.ToArray();

        // PEFT: y0 + (m / n - 1) W drop(x) + (m / n) s B A drop(x), where y0 saw all of x
        Tensor weight = part.Layer.Weight.Value.ToF32(), delta = same.MatMul(part.B.Value, part.A.Value, transposeB: true);
        for (int o = 0; o < part.Layer.Outputs; o++)
        {
            double Base(int i) => part.Layer.Transposed ? weight.Row(i)[o] : weight.Row(o)[i];
            double Update(int i) => 2 * delta.Row(o)[i];
            double factor = part.Magnitude.Value.Values[o] / Math.Sqrt(Enumerable.Range(0, part.Layer.Inputs).Sum(i => Math.Pow(Base(i) + Update(i), 2)));
            for (int row = 0; row < input.Rows; row++)
            {
                double expected = plain[row * part.Layer.Outputs + o];
                for (int i = 0; i < part.Layer.Inputs; i++)
                    expected += seen.Row(row)[i] * ((factor - 1) * Base(i) + factor * Update(i));
                ((double)output[row * part.Layer.Outputs + o]).ShouldBe(expected, 1e-4);
            }
        }
    }

    [Fact]
    public void A_fresh_adapter_computes_what_the_base_does_with_dropout_too()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        float[] plain = golden.Logits().Values.ToArray();
        AdapterFile.Create(golden.Model, new LoraMethod(), new JsonObject { ["use_dora"] = true, ["lora_dropout"] = 0.5 }).Attach();
        golden.Step.Training = true;
        float[] output = golden.Logits().Values.ToArray();
        output.Zip(plain).Max(pair => Math.Abs(pair.First - pair.Second)).ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void What_was_kept_of_an_earlier_pass_follows_every_change()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        Adapter adapter = Make(golden, "q_proj"), other = AdapterFile.Create(golden.Model, new LoraMethod(), new JsonObject { ["init_lora_weights"] = false, ["lora_alpha"] = 80 });
        adapter.Attach();
        float[] first = golden.Logits().Values.ToArray();
        golden.Logits().Values.ToArray().ShouldBe(first);

        adapter.Train();
        golden.Logits().Values.ToArray().ShouldBe(first, 1e-6f, "trained or not");
        golden.LossOfNextTokens();
        foreach (Parameter parameter in adapter.Parameters)
        {
            Span<float> values = parameter.Value.Values, grads = parameter.Grad!.Values;
            for (int i = 0; i < values.Length; i++)
                values[i] -= 0.5f * grads[i];
        }
        float[] trained = golden.Logits().Values.ToArray();
        trained.ShouldNotBe(first);
        foreach (Parameter parameter in adapter.Parameters)
            parameter.Trainable = false;
        golden.Logits().Values.ToArray().ShouldBe(trained, 1e-6f);

        other.Merge();
        float[] merged = golden.Logits().Values.ToArray();
        adapter.Detach();
        adapter.Attach();
        golden.Logits().Values.ToArray().ShouldBe(merged, "a base that was changed is looked at again");
        other.Unmerge();
        other.Detach();
        golden.Logits().Values.ToArray().ShouldBe(trained, 1e-6f);
    }

    [Fact]
    public void A_base_that_is_trained_too_counts_in_the_norms()
    {
        using PeftGolden golden = PeftGolden.OfBase("llama");
        Adapter adapter = Make(golden, "q_proj");
        adapter.Attach();
        golden.Model.SetTrainable(true);
        // memory of their own: those of the file cannot be written
        foreach (DoraLinear part in adapter.Parts.Cast<DoraLinear>())
            part.Layer.Weight.Replace(part.Layer.Weight.Value.ToF32());
        float[] before = golden.Logits().Values.ToArray();
        foreach (DoraLinear part in adapter.Parts.Cast<DoraLinear>())
        {
            Span<float> weight = part.Layer.Weight.Value.Values;
            for (int i = 0; i < weight.Length; i++)
                weight[i] *= 1 + 0.5f * MathF.Cos(i);
        }
        float[] after = golden.Logits().Values.ToArray();
        after.ShouldNotBe(before);
        golden.Model.SetTrainable(false);
        adapter.Detach();
        adapter.Attach();
        golden.Logits().Values.ToArray().ShouldBe(after, 1e-5f);
    }

    private static Adapter Make(PeftGolden golden, string target, double dropout = 0)
    {
        Adapter adapter = AdapterFile.Create(golden.Model, new LoraMethod(), new JsonObject
        {
            ["r"] = 4, ["lora_alpha"] = 8, ["use_dora"] = true, ["lora_dropout"] = dropout, ["init_lora_weights"] = false, ["target_modules"] = new JsonArray(target),
        });
        foreach (DoraLinear part in adapter.Parts.Cast<DoraLinear>())
        {
            Span<float> magnitudes = part.Magnitude.Value.Values;
            for (int i = 0; i < magnitudes.Length; i++)
                magnitudes[i] *= 1 + 0.3f * MathF.Sin(i);
        }
        return adapter;
    }

    private static Tensor Input(Linear layer)
    {
        Tensor input = Tensor.Create(new Shape(3, layer.Inputs));
        for (int i = 0; i < input.Values.Length; i++)
            input.Values[i] = MathF.Sin(i + 1);
        return input;
    }
}
