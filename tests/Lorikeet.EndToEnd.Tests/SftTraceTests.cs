using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>Runs of transformers' trainer on stories260K: rate, loss and norm of every step, and the weights after the last.</summary>
public class SftTraceTests
{
    private static readonly JsonElement Runs = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("sft", "index.json"))).RootElement.GetProperty("runs");
    private static readonly JsonElement Rows = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("sft", "rows.json"))).RootElement.GetProperty("train");

    private static string Stories => Path.Combine(AppContext.BaseDirectory, "Embedded", "stories260K");

    [Theory]
    [InlineData("plain_lm")]
    [InlineData("plain_lm", "paged_adamw")]
    [InlineData("completion_only")]
    [InlineData("accum_batch4")]
    [InlineData("accum_1x4")]
    public void Full_fine_tuning_follows_the_reference(string run, string optimizer = "adamw")
    {
        using CausalLm model = ModelLoader.Load(Stories);
        Follow(run, model, model.Parameters, optimizer);
        if (run != "plain_lm")
            return;
        using ITensorSource final = TensorFiles.Open(GoldenData.Path("sft", "plain_lm-final.safetensors"));
        final.Names.Count.ShouldBeGreaterThan(2);
        foreach (Parameter parameter in model.Parameters)
        {
            if (final.Find(parameter.Name) is { } stored)
                Compare(parameter, stored, 1e-3f);
        }
    }

    [Fact]
    public void Checkpointing_follows_the_same_reference()
    {
        using CausalLm model = ModelLoader.Load(Stories);
        Follow("plain_lm", model, model.Parameters, "adamw", checkpointing: true);
    }

    [Fact]
    public void LoRA_with_warm_up_cosine_and_decay_follows_the_reference()
    {
        using CausalLm model = ModelLoader.Load(Stories);
        Adapter adapter = AdapterFile.Load(model, GoldenData.Path("sft", "lora-initial"));
        adapter.Attach();
        adapter.Train();
        Follow("lora_cosine", model, adapter.Parameters, "adamw");
        using ITensorSource final = TensorFiles.Open(GoldenData.Path("sft", "lora-final", "adapter_model.safetensors"));
        foreach (Parameter parameter in adapter.Parameters)
            Compare(parameter, final.Find(parameter.Name).ShouldNotBeNull(parameter.Name), 5e-3f);
    }

    private static void Follow(string run, CausalLm model, IReadOnlyList<Parameter> parameters, string optimizer, bool checkpointing = false)
    {
        JsonElement known = Runs.GetProperty(run), hyper = known.GetProperty("hyper");
        JsonElement[] steps = [.. known.GetProperty("steps").EnumerateArray()];
        bool whole = run == "plain_lm";
        TrainingExample[] examples = [.. steps.SelectMany(step => step.GetProperty("rows").EnumerateArray()).SelectMany(rows => rows.EnumerateArray()).Select(row => Example(Rows[row.GetInt32()], whole))];
        double warmup = hyper.GetProperty("warmup_steps").GetDouble();
        TrainingOptions options = new()
        {
            Steps = steps.Length,
            BatchSize = hyper.GetProperty("per_device_train_batch_size").GetInt32(),
            GradientAccumulationSteps = hyper.GetProperty("gradient_accumulation_steps").GetInt32(),
            LrScheduler = new ScheduleOptions { Kind = hyper.GetProperty("lr_scheduler_type").GetString() == "cosine" ? ScheduleKind.Cosine : ScheduleKind.Linear },
            WarmupSteps = warmup >= 1 ? (int)warmup : null,
            WarmupRatio = warmup < 1 ? warmup : null,
            WeightDecay = hyper.GetProperty("weight_decay").GetDouble(),
            MaxGradNorm = hyper.GetProperty("max_grad_norm").GetDouble(),
            Optimizer = optimizer,
            GradientCheckpointing = checkpointing,
        };
        using Trainer trainer = new(model, parameters, options, hyper.GetProperty("learning_rate").GetDouble(), ExampleSet.Of(examples, Packing.None, 2048), RowOrder.File);
        foreach (JsonElement step in steps)
        {
            StepReport report = trainer.OneStep();
            double rate = step.GetProperty("lr").GetDouble(), loss = step.GetProperty("loss").GetDouble(), norm = step.GetProperty("grad_norm").GetDouble();
            report.LearningRate.ShouldBe(rate, 1e-9 * rate + 1e-15, $"{run}, step {report.Step}");
            report.TargetTokens.ShouldBe(step.GetProperty("num_items_in_batch").GetInt32());
            report.Loss.ShouldBe(loss, report.Step <= 5 ? 1e-4 : 1e-3, $"{run}, step {report.Step}");
            report.GradNorm.ShouldBe(norm, 1e-3 * norm, $"{run}, step {report.Step}");
        }
    }

    private static void Compare(Parameter parameter, StoredTensor stored, float tolerance)
    {
        ReadOnlySpan<float> theirs = MemoryMarshal.Cast<byte, float>(stored.Bytes.Span), ours = parameter.Value.Values;
        theirs.Length.ShouldBe(ours.Length);
        for (int i = 0; i < ours.Length; i++)
            ours[i].ShouldBe(theirs[i], tolerance, parameter.Name);
    }

    private static TrainingExample Example(JsonElement row, bool whole)
    {
        int[] prompt = Ids("prompt_ids"), completion = Ids("completion_ids");
        return whole ? TrainingExample.Whole([.. prompt, .. completion]) : TrainingExample.Completion(prompt, completion);

        int[] Ids(string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
    }
}
