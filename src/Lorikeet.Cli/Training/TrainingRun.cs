using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Text;
using Lorikeet.Training;

namespace Lorikeet.Cli.Training;

/// <summary>
/// One run of a recipe: freeze, attach, train, save. It is the only place where models, adapters, data and the trainer meet; none of them knows
/// the others.
/// </summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly ModelPackage _package;
    private readonly ExampleEncoder _encoder;
    private readonly DateTimeOffset _started = DateTimeOffset.Now;
    private readonly List<RunSample> _samples = [];

    private TrainingRun(Recipe recipe, ModelPackage package, ExampleEncoder encoder, TrainingData data, Adapter? adapter)
    {
        Recipe = recipe;
        _package = package;
        _encoder = encoder;
        Data = data;
        Adapter = adapter;
        Parameters = adapter?.Parameters ?? package.Model.Parameters;
        LearningRate = recipe.Training.LearningRate ?? (adapter is null ? 2e-5 : adapter.Method is LoraMethod ? 2e-4 : 1e-3);
        Checkpoints = new Checkpoints(Path.Combine(recipe.Output, "checkpoints"), recipe.Training.SaveTotalLimit, SaveWeights);
        Trainer = new Trainer(package.Model, Parameters, recipe.Training, LearningRate, data.Train, recipe.Data.Order, data.Eval, Checkpoints);
    }

    /// <summary>What was asked for.</summary>
    public Recipe Recipe { get; }

    /// <summary>What it learns from.</summary>
    public TrainingData Data { get; }

    /// <summary>What is trained; null where it is the whole model.</summary>
    public Adapter? Adapter { get; }

    /// <summary>What is trained.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The peak rate.</summary>
    public double LearningRate { get; }

    /// <summary>The loop.</summary>
    public Trainer Trainer { get; }

    /// <summary>Where checkpoints are.</summary>
    public Checkpoints Checkpoints { get; }

    /// <summary>The model.</summary>
    public CausalLm Model => _package.Model;

    /// <summary>The model, its tokenizer and end tokens.</summary>
    public ModelPackage Package => _package;

    /// <summary>Where the trained weights go.</summary>
    public string ResultFolder => Path.Combine(Recipe.Output, Adapter is null ? "model" : "adapter");

    /// <summary>Questions and answers before and after.</summary>
    public IReadOnlyList<RunSample> Samples => _samples;

    /// <summary>Loads everything that a recipe names.</summary>
    /// <exception cref="InputException">Something is missing or does not fit.</exception>
    public static TrainingRun Prepare(Recipe recipe)
    {
        if (recipe.Training.Precision != Precision.F32)
            throw new InputException("training.precision: only f32 is implemented; remove the key or write f32");
        ModelPackage package = ModelPackage.Open(recipe.Model.Path, recipe.Model.Quantize is { } storage ? WeightStorage.Parse(storage) : null);
        try
        {
            Tokenizer tokenizer = recipe.Model.Tokenizer is { } other ? Tokenizer.Load(other) : package.Tokenizer;
            Func<ChatRequest, RenderedChat>? render = recipe.Model.ChatTemplate is { } file
                ? ChatTemplate.Parse(File.ReadAllText(file), file).Render
                : package.ChatTemplates is { } templates ? templates.Render : null;
            if (package.EndTokens.Count == 0)
                throw new InputException($"{recipe.Model.Path}: the model names no end token, so it could not learn to stop");
            int end = tokenizer.EosId ?? package.EndTokens[0];
            ExampleEncoder encoder = new(tokenizer, render, end, recipe.Data.LossOn, DateTime.UnixEpoch);
            TrainingData data = TrainingData.Load(recipe.Data, encoder, package.Model.Facts.ContextLength);
            return new TrainingRun(recipe, package, encoder, data, Prepare(recipe, package.Model));
        }
        catch
        {
            package.Dispose();
            throw;
        }
    }

    /// <summary>Says what will happen, before it does.</summary>
    public void PrintPlan(TextWriter output)
    {
        long all = Model.Parameters.Sum(parameter => parameter.Value.Shape.Elements) + (Adapter?.TrainableCount ?? 0);
        long trainable = Parameters.Sum(parameter => parameter.Value.Shape.Elements);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"model      {Recipe.Model.Path} ({Model.Facts.ModelType}, {Model.Facts.Layers} layers, hidden {Model.Facts.Hidden})"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"method     {Recipe.Adapter.Method}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"           trainable params: {trainable:N0} || all params: {all:N0} || trainable%: {100.0 * trainable / all:0.0000}"));
        foreach (DataFileReport file in Data.Files)
            output.WriteLine($"data       {file}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"steps      {Trainer.TotalSteps:N0} ({Trainer.StepsPerEpoch:N0} an epoch), batch {Recipe.Training.BatchSize} x {Recipe.Training.GradientAccumulationSteps}, learning rate {LearningRate:0.0e+0}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory     about {MemoryPlan.Of(this).Total / 1e6:N0} MB ({MemoryPlan.Of(this)})"));
        foreach (string note in Adapter?.Notes ?? [])
            output.WriteLine($"note       {note}");
        foreach (string remark in _package.Remarks)
            output.WriteLine($"note       {remark}");
    }

    /// <summary>Trains, with progress, metrics, samples and a report, and saves the result.</summary>
    public TrainResult Run(Terminal terminal, string? resume, CancellationToken stop)
    {
        Directory.CreateDirectory(Recipe.Output);
        AtomicFile.WriteText(Path.Combine(Recipe.Output, "recipe.yaml"), Recipe.ToYaml());
        string metrics = Path.Combine(Recipe.Output, "metrics.jsonl");
        if (resume is not null)
        {
            Trainer.Resume(resume);
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"going on from {resume}, step {Trainer.StepsDone}"));
        }
        IReadOnlyList<string> before = Answers();
        using MetricsLog log = resume is null ? MetricsLog.Create(metrics) : MetricsLog.Resume(metrics, Trainer.StepsDone);
        using TrainProgressLine progress = new(terminal, Trainer.StepsDone);
        Trainer.Stepped = report =>
        {
            log.Add(report);
            progress.Show(report);
        };
        Trainer.Evaluated = report =>
        {
            log.Add(report);
            progress.Show(report);
        };
        Trainer.Saved = folder =>
        {
            log.Flush();
            progress.Say($"saved {folder}");
        };
        TrainResult result;
        try
        {
            result = Trainer.Run(stop);
        }
        catch (DivergedException)
        {
            progress.Dispose();
            throw;
        }
        progress.Dispose();
        log.Flush();
        if (result.Outcome == TrainOutcome.StoppedEarly && result.BestCheckpoint is { } best)
            Trainer.Resume(best);
        if (result.Outcome != TrainOutcome.Interrupted)
            SaveResult();
        IReadOnlyList<string> after = Answers();
        int i = 0;
        foreach ((string prompt, string? expected, _) in Questions())
        {
            _samples.Add(new RunSample(prompt, before[i], after[i], expected));
            i++;
        }
        WriteReport(result, metrics);
        return result;
    }

    /// <summary>Answers to the sample questions with the weights as they are now.</summary>
    public IReadOnlyList<string> Answers()
    {
        using Generator generator = new(Model, _package.Tokenizer);
        List<Generation> answers = [.. Questions().Select(question => generator.Add(new GenerationRequest
        {
            Prompt = question.Ids,
            MaxTokens = Recipe.Samples.MaxNewTokens,
            EndTokens = _package.EndTokens,
        }))];
        generator.Run();
        return [.. answers.Select(answer => answer.Text)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Trainer.Dispose();
        _package.Dispose();
    }

    private static Adapter? Prepare(Recipe recipe, CausalLm model)
    {
        string method = recipe.Adapter.Method;
        if (string.Equals(method, "full", StringComparison.OrdinalIgnoreCase))
        {
            if (recipe.Adapter.Options.Entries.Count > 0)
                throw new InputException($"{recipe.Adapter.Options.Location}: full fine-tuning has no options; found {recipe.Adapter.Options.Entries[0].Key}");
            model.SetTrainable(true);
            return null;
        }
        JsonObject options = recipe.Adapter.Options.ToJson() as JsonObject ?? [];
        if (string.Equals(method, "dora", StringComparison.OrdinalIgnoreCase))
        {
            method = "lora";
            options["use_dora"] = true;
        }
        options["base_model_name_or_path"] = recipe.Model.Path;
        Adapter adapter = AdapterFile.Create(model, PeftRegistry.OfRecipe(method), options, recipe.Training.Seed, source: "adapter");
        adapter.Attach();
        adapter.Train();
        return adapter;
    }

    private IEnumerable<(string Prompt, string? Expected, int[] Ids)> Questions()
    {
        foreach (string prompt in Recipe.Samples.Prompts)
            yield return (prompt, null, _package.Tokenizer.EncodeIds(prompt, addSpecial: false));
        if (Recipe.Samples.Prompts.Count > 0)
            yield break;
        foreach (DataRow row in Data.Samples.Take(Recipe.Samples.Count))
        {
            if (_encoder.Question(row) is { } question && question.Ids.Length + Recipe.Samples.MaxNewTokens <= Model.Facts.ContextLength)
                yield return (question.Prompt, question.Answer, question.Ids);
        }
    }

    private void SaveWeights(string folder)
    {
        if (Adapter is not null)
            AdapterFile.SaveInto(Adapter, folder);
        else
            ModelFolder.SaveInto(Model, _package.Files.IsFolder ? _package.Files.Path : null, folder, null);
    }

    private void SaveResult() => AtomicFolder.Write(ResultFolder, SaveWeights);

    private void WriteReport(TrainResult result, string metrics)
    {
        (IReadOnlyList<StepReport> steps, IReadOnlyList<EvaluationReport> evaluations) = MetricsLog.Read(metrics);
        ReportHtml.Save(Path.Combine(Recipe.Output, "report.html"), new RunReport
        {
            Title = $"{Recipe.Adapter.Method} on {Path.GetFileName(Path.TrimEndingDirectorySeparator(Recipe.Model.Path))}",
            Outcome = result.Outcome switch
            {
                TrainOutcome.Finished => "finished",
                TrainOutcome.StoppedEarly => "stopped early",
                _ => "interrupted",
            },
            Started = _started,
            Duration = DateTimeOffset.Now - _started,
            Facts =
            [
                ("model", Recipe.Model.Path),
                ("trainable parameters", Parameters.Sum(parameter => parameter.Value.Shape.Elements).ToString("N0", CultureInfo.InvariantCulture)),
                ("tokens per second", (result.Tokens / Math.Max(result.Seconds, 1e-9)).ToString("N0", CultureInfo.InvariantCulture)),
                ("peak memory", (ProcessMemory.PeakBytes() / 1e6).ToString("N0", CultureInfo.InvariantCulture) + " MB"),
            ],
            Steps = steps,
            Evaluations = evaluations,
            Samples = _samples,
            Notes = Adapter?.Notes ?? [],
            Recipe = Recipe.ToYaml(),
        });
    }
}
