using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>Whole runs, step by step, against the reference's losses and final weights.</summary>
public class TrainingTraceTests
{
    private static string Stories => Path.Combine(AppContext.BaseDirectory, "Embedded", "stories260K");

    [Fact]
    public void Sixty_four_steps_on_stories260K_follow_the_trace_in_double_precision()
    {
        using JsonDocument trace = JsonDocument.Parse(File.ReadAllText(GoldenData.Path("lora-stories260K", "trace.json")));
        JsonElement root = trace.RootElement;
        JsonElement[] examples = [.. root.GetProperty("examples").EnumerateArray()];
        List<TrainingExample> train = [.. root.GetProperty("train").EnumerateArray().Select(index => Example(examples[index.GetInt32()]))];
        using CausalLm model = ModelLoader.Load(Stories);
        Adapter adapter = AdapterFile.Load(model, GoldenData.Path("lora-stories260K", "adapter_initial"));
        adapter.Attach();
        adapter.Train();
        JsonElement[] steps = [.. root.GetProperty("trace").EnumerateArray()];
        TrainingOptions options = new()
        {
            Steps = steps.Length,
            BatchSize = 4,
            MaxGradNorm = 0,
            LrScheduler = new ScheduleOptions { Kind = ScheduleKind.Constant },
        };
        using Trainer trainer = new(model, adapter.Parameters, options, 0.01, ExampleSet.Of(train, Packing.None, 512), RowOrder.File);
        foreach (JsonElement step in steps)
        {
            StepReport report = trainer.OneStep();
            double loss = step.GetProperty("loss").GetDouble();
            report.Loss.ShouldBe(loss, 1e-4 * loss, $"step {report.Step}");
        }
        Evaluation heldOut = new(ExampleSet.Of([.. root.GetProperty("heldout").EnumerateArray().Select(index => Example(examples[index.GetInt32()]))], Packing.None, 512), 8);
        double after = root.GetProperty("loss_after").GetProperty("heldout").GetDouble();
        heldOut.Run(model, trainer.Pass, stop: TestContext.Current.CancellationToken).Loss.ShouldBe(after, 1e-4 * after);
        using ITensorSource final = TensorFiles.Open(GoldenData.Path("lora-stories260K", "adapter_final", "adapter_model.safetensors"));
        ShareApart(adapter, final, 1e-3f).ShouldBeLessThan(1e-4);
    }

    [Fact]
    public void Four_steps_on_the_real_chat_model_follow_the_reference()
    {
        string goldens = GoldenData.Shared("golden-smollm2");
        using CausalLm model = ModelLoader.Load(GoldenData.Shared("model-smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            File.Copy(Path.Combine(goldens, "adapter_config.json"), Path.Combine(folder.FullName, "adapter_config.json"));
            File.Copy(Path.Combine(goldens, "lora_init.safetensors"), Path.Combine(folder.FullName, "adapter_model.safetensors"));
            Adapter adapter = AdapterFile.Load(model, folder.FullName);
            adapter.Attach();
            adapter.Train();
            using JsonDocument index = JsonDocument.Parse(File.ReadAllText(Path.Combine(goldens, "index.json")));
            JsonElement lora = index.RootElement.GetProperty("lora");
            using ITensorSource io = TensorFiles.Open(Path.Combine(goldens, "lora_io.safetensors"));
            int[] ids = Ids(io, "input_ids"), mask = Ids(io, "attention_mask"), labels = Ids(io, "labels");
            int length = (int)io.Find("input_ids")!.Shape[1];
            List<TrainingExample> rows = [.. Enumerable.Range(0, ids.Length / length).Select(row =>
            {
                int[] kept = [.. Enumerable.Range(row * length, length).Where(i => mask[i] == 1)];
                return new TrainingExample([.. kept.Select(i => ids[i])], [.. kept.Select(i => labels[i])]);
            })];
            TrainingOptions options = new()
            {
                Steps = 4,
                BatchSize = rows.Count,
                MaxGradNorm = 0,
                WeightDecay = 0.01,
                LrScheduler = new ScheduleOptions { Kind = ScheduleKind.Constant },
            };
            using Trainer trainer = new(model, adapter.Parameters, options, 1e-3, ExampleSet.Of(rows, Packing.None, 4096), RowOrder.File);
            double[] losses = [.. lora.GetProperty("losses").EnumerateArray().Select(value => value.GetDouble())];
            double[] norms = [.. lora.GetProperty("grad_norms").EnumerateArray().Select(value => value.GetDouble())];
            for (int i = 0; i < 4; i++)
            {
                StepReport report = trainer.OneStep();
                report.Loss.ShouldBe(losses[i], 1e-4 * losses[i], $"step {i}");
                report.GradNorm.ShouldBe(norms[i], 1e-4 * norms[i], $"step {i}");
            }
            using ITensorSource final = TensorFiles.Open(Path.Combine(goldens, "lora_final.safetensors"));
            ShareApart(adapter, final, 2e-4f).ShouldBeLessThan(1e-4);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Adam's first step moves an element by the sign of its gradient: where that is all but zero, the last bit of a sum decides. Such elements
    // of B, and what follows from them, are few; everything else must agree.
    private static double ShareApart(Adapter adapter, ITensorSource final, float tolerance)
    {
        int count = 0, apart = 0;
        foreach (Parameter parameter in adapter.Parameters)
        {
            ReadOnlySpan<float> theirs = MemoryMarshal.Cast<byte, float>(final.Find(parameter.Name).ShouldNotBeNull().Bytes.Span.ToArray());
            count += theirs.Length;
            for (int i = 0; i < theirs.Length; i++)
                apart += Math.Abs(parameter.Value.Values[i] - theirs[i]) > tolerance ? 1 : 0;
        }
        return (double)apart / count;
    }

    private static TrainingExample Example(JsonElement example)
    {
        int[] prompt = [.. example.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32())];
        int[] completion = [.. example.GetProperty("completion_ids").EnumerateArray().Select(id => id.GetInt32())];
        return TrainingExample.Completion(prompt, completion);
    }

    private static int[] Ids(ITensorSource source, string name) =>
        [.. MemoryMarshal.Cast<byte, long>(source.Find(name)!.Bytes.Span).ToArray().Select(id => (int)id)];
}
