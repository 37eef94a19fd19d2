using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>LoRA over a base of four bits: losses, gradients, ten steps and a merge as PEFT and bitsandbytes make them.</summary>
public sealed class QloraTests
{
    private static string Base => GoldenData.Path("quant", "nf4-llama");

    [Fact]
    public void Logits_loss_and_gradients_agree()
    {
        using CausalLm model = ModelLoader.Load(Base);
        Adapter adapter = AdapterFile.Load(model, GoldenData.Path("quant", "qlora-adapter"));
        adapter.Attach();
        adapter.Train();
        using ITensorSource io = TensorFiles.Open(GoldenData.Path("quant", "qlora-io.safetensors"));
        using Tape tape = new() { Recording = true };
        Step step = new(tape);
        (int[] kept, int[] targets) = Begin(step, io);
        Tensor hidden = model.Hidden(step);
        float[] logits = model.Logits(step, hidden).Values.ToArray(), theirs = Floats(io, "logits");
        int vocabulary = model.Facts.Vocabulary;
        for (int i = 0; i < kept.Length; i++)
        {
            for (int j = 0; j < vocabulary; j++)
                logits[i * vocabulary + j].ShouldBe(theirs[kept[i] * vocabulary + j], 1e-4f);
        }
        Tensor loss = model.Loss(step, hidden, step.Copy(targets), 1f / targets.Count(target => target >= 0));
        tape.Backward(loss);
        loss.Values[0].ShouldBe(Floats(io, "loss")[0], 1e-5f);
        foreach (Parameter parameter in adapter.Parameters)
        {
            float[] expected = Floats(io, "grad." + parameter.Name);
            float size = MathF.Sqrt(expected.Sum(value => value * value));
            Span<float> ours = parameter.Grad!.Values;
            for (int i = 0; i < expected.Length; i++)
                ours[i].ShouldBe(expected[i], 1e-4f * size + 1e-7f, parameter.Name);
        }
        model.Parameters.Where(parameter => parameter.Value.Type == DType.NF4DQ).Count().ShouldBe(14);
    }

    [Fact]
    public void Ten_steps_follow_the_reference()
    {
        using CausalLm model = ModelLoader.Load(Base);
        Adapter adapter = AdapterFile.Load(model, GoldenData.Path("quant", "qlora-adapter"));
        adapter.Attach();
        adapter.Train();
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(GoldenData.Path("quant", "index.json")));
        JsonElement[] trajectory = [.. index.RootElement.GetProperty("qlora").GetProperty("trajectory").EnumerateArray()];
        using ITensorSource batches = TensorFiles.Open(GoldenData.Path("quant", "qlora-batches.safetensors"));
        int[] ids = Integers(batches, "input_ids"), mask = Integers(batches, "attention_mask");
        List<TrainingExample> rows = [.. Enumerable.Range(0, 20).Select(row =>
        {
            int[] text = [.. Enumerable.Range(row * 12, 12).Where(i => mask[i] == 1).Select(i => ids[i])];
            return TrainingExample.Whole(text);
        })];
        TrainingOptions options = new() { Steps = 10, BatchSize = 2, MaxGradNorm = 1, WeightDecay = 0.01, LrScheduler = new ScheduleOptions { Kind = ScheduleKind.Constant } };
        using Trainer trainer = new(model, adapter.Parameters, options, 5e-3, ExampleSet.Of(rows, Packing.None, 64), RowOrder.File);
        foreach (JsonElement step in trajectory)
        {
            StepReport report = trainer.OneStep();
            report.Loss.ShouldBe(step.GetProperty("loss").GetDouble(), 1e-4 * report.Loss, $"step {report.Step}");
            report.GradNorm.ShouldBe(step.GetProperty("grad_norm_before_clip").GetDouble(), 1e-3 * report.GradNorm, $"step {report.Step}");
        }
        using ITensorSource final = TensorFiles.Open(GoldenData.Path("quant", "qlora-adapter-after10", "adapter_model.safetensors"));
        foreach (Parameter parameter in adapter.Parameters)
        {
            float[] theirs = Floats(final, parameter.Name);
            for (int i = 0; i < theirs.Length; i++)
                parameter.Value.Values[i].ShouldBe(theirs[i], 1e-3f, parameter.Name);
        }
    }

    [Fact]
    public void A_merge_into_four_bits_is_quantised_again_as_PEFT_does_it()
    {
        using CausalLm model = ModelLoader.Load(Base), reference = ModelLoader.Load(GoldenData.Path("quant", "qlora-merged"));
        Adapter adapter = AdapterFile.Load(model, GoldenData.Path("quant", "qlora-adapter"));
        adapter.Merge();
        int codes = 0, apart = 0;
        foreach ((Parameter ours, Parameter theirs) in model.Parameters.Zip(reference.Parameters))
        {
            ours.Value.Type.ShouldBe(theirs.Value.Type);
            float[] a = ours.Value.ToSingles(), b = theirs.Value.ToSingles();
            codes += a.Length;
            apart += Enumerable.Range(0, a.Length).Count(i => Math.Abs(a[i] - b[i]) > 1e-6f);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{apart} of {codes} differ");
        // the sum of the update's few terms may round otherwise, and tip a value that lies on the border of two levels
        apart.ShouldBeLessThan(codes / 1000);
        adapter.Unmerge();
        adapter.Detach();
        using CausalLm fresh = ModelLoader.Load(Base);
        foreach ((Parameter ours, Parameter theirs) in model.Parameters.Zip(fresh.Parameters))
            ours.Value.Contents.Span.SequenceEqual(theirs.Value.Contents.Span).ShouldBeTrue(ours.Name);
    }

    [Theory]
    [InlineData("nf4", DType.NF4)]
    [InlineData("nf4-dq", DType.NF4DQ)]
    [InlineData("fp4", DType.FP4)]
    [InlineData("int8", DType.Int8Row)]
    [InlineData("q8_0", DType.Q8_0)]
    public void A_model_can_be_quantised_as_it_is_loaded(string name, DType type)
    {
        using CausalLm model = ModelLoader.Load("random:tiny", WeightStorage.Parse(name));
        Linear[] layers = [.. model.Modules.OfType<Linear>().Where(layer => layer.Weight.Name != model.InputEmbedding.Weight.Name)];
        layers.Count(layer => layer.Weight.Value.Type == type).ShouldBe(layers.Count(layer => layer.Inputs % type.BlockSize() == 0));
        (model.InputEmbedding.Weight.Value.Type == type).ShouldBe(type == DType.Q8_0);
    }

    [Theory]
    [InlineData("nf4-dq", "q8_0")]
    [InlineData("nf4-dq", "int8")]
    [InlineData("q4_0", "nf4")]
    public void Embeddings_and_head_are_read_where_they_lie_in_a_storage_of_their_own(string matrices, string embeddings)
    {
        DType table = WeightStorage.Parse(embeddings)!.Value;
        using CausalLm model = ModelLoader.Load("random:tiny", new ModelStorage(WeightStorage.Parse(matrices), table));
        model.InputEmbedding.Weight.Value.Type.ShouldBe(table);
        model.Head.Weight.ShouldBe(model.InputEmbedding.Weight);
        model.Modules.OfType<Linear>().Count(layer => layer.Weight.Value.Type == WeightStorage.Parse(matrices)).ShouldBe(5 * 6);
        (float loss, float[] gradient) = LossAndGradient(model);
        foreach (Parameter parameter in model.Parameters)
            parameter.Replace(parameter.Value.ToF32());
        (float wide, float[] expected) = LossAndGradient(model);
        loss.ShouldBe(wide, 1e-5f);
        gradient.Zip(expected).Max(pair => Math.Abs(pair.First - pair.Second)).ShouldBeLessThan(1e-4f * expected.Max(Math.Abs));
    }

    private static (float Loss, float[] Gradient) LossAndGradient(CausalLm model)
    {
        Adapter adapter = model.AddAdapter(new LoraOptions { Targets = ["q_proj"] }, seed: 3);
        RaggedBatch batch = new();
        batch.Add([3, 5, 8, 13, 21, 34]);
        using Tape tape = new() { Recording = true };
        Step step = new(tape);
        step.Begin(batch);
        Tensor targets = Tensor.Create(new Shape(6), DType.I32);
        ((int[])[5, 8, 13, 21, 34, -100]).CopyTo(targets.Integers);
        Tensor loss = model.Loss(step, model.Hidden(step), targets, 0.2f);
        tape.Backward(loss);
        (float, float[]) result = (loss.Values[0], adapter.Parameters.Single(parameter => parameter.Name.Contains("layers.0.self_attn.q_proj.lora_B", StringComparison.Ordinal)).Grad!.Values.ToArray());
        adapter.Detach();
        return result;
    }

    private static (int[] Kept, int[] Targets) Begin(Step step, ITensorSource io)
    {
        int[] ids = Integers(io, "input_ids"), mask = Integers(io, "attention_mask"), labels = Integers(io, "labels");
        int length = (int)io.Find("input_ids")!.Shape[1];
        RaggedBatch batch = new();
        int[] kept = [.. Enumerable.Range(0, ids.Length).Where(i => mask[i] == 1)];
        foreach (IGrouping<int, int> row in kept.GroupBy(i => i / length))
            batch.Add([.. row.Select(i => ids[i])]);
        step.Begin(batch);
        return (kept, [.. kept.Select(i => i % length + 1 < length ? labels[i + 1] : -100)]);
    }

    private static int[] Integers(ITensorSource source, string name) =>
        [.. MemoryMarshal.Cast<byte, long>(source.Find(name)!.Bytes.Span).ToArray().Select(id => (int)id)];

    private static float[] Floats(ITensorSource source, string name)
    {
        StoredTensor stored = source.Find(name).ShouldNotBeNull(name);
        return Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape)).ToSingles();
    }
}
