using System.Globalization;
using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
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
    private const string RecipeName = "recipe.yaml";

    private readonly ModelPackage _package;
    private readonly IReadOnlyList<Question> _questions;
    private readonly int[] _endTokens;
    private readonly MemoryPlanner _planner;
    private readonly DateTimeOffset _started = DateTimeOffset.Now;
    private readonly List<RunSample> _samples = [];
    private readonly string? _resumedFrom;
    private readonly IReadOnlyList<string> _resumeNotes = [];
    private readonly ModelText? _text;
    private Trainer? _trainer;

    private TrainingRun(Recipe recipe, ModelPackage package, TrainingData data, Adapter? adapter, ulong? frozen, IReadOnlyList<Question> questions, int end, ModelText? text, string? resumedFrom, bool overwrite)
    {
        _package = package;
        _questions = questions;
        _text = text;
        _endTokens = [.. package.EndTokens.Append(end).Distinct()];
        _resumedFrom = resumedFrom;
        Data = data;
        Adapter = adapter;
        Parameters = adapter?.Parameters ?? package.Model.Parameters;
        LearningRate = recipe.Training.LearningRate ?? (adapter is null ? 2e-5 : adapter.Method is LoraMethod ? 2e-4 : 1e-3);
        Recipe = recipe = recipe with { Training = recipe.Training with { LearningRate = LearningRate } };
        Checkpoints = CheckpointsOf(recipe, SaveWeights, overwrite, frozen);
        StepsPerEpoch = BatchLoader.StepsOf(data.Train, recipe.Training.BatchSize, recipe.Training.GradientAccumulationSteps);
        if (resumedFrom is not null)
            _resumeNotes = Continuation.Check(resumedFrom, recipe, data.Train, frozen, recipe.Training.TotalSteps(StepsPerEpoch), adapter is null ? null : RecipeAdapter.DefaultsOf(recipe, adapter.Method));
        _planner = new MemoryPlanner(package.Model, Parameters, recipe.Training, data.Train.LargestBatch);
        Memory = _planner.Plan();
    }

    /// <summary>What was asked for.</summary>
    public Recipe Recipe { get; }

    /// <summary>What keeps the run from writing into its output folder.</summary>
    public required Problems Place { get; init; }

    /// <summary>What it learns from.</summary>
    public TrainingData Data { get; }

    /// <summary>What is trained; null where it is the whole model.</summary>
    public Adapter? Adapter { get; }

    /// <summary>What is trained.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>What memory it needs, and how its passes are made for it.</summary>
    public MemoryPlan Memory { get; }

    /// <summary>The peak rate.</summary>
    public double LearningRate { get; }

    /// <summary>Optimiser steps of one pass over the data.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Where checkpoints are.</summary>
    public Checkpoints Checkpoints { get; }

    /// <summary>The model.</summary>
    public CausalLm Model => _package.Model;

    /// <summary>The model, its tokenizer and end tokens.</summary>
    public ModelPackage Package => _package;

    /// <summary>Where the trained weights go.</summary>
    public string ResultFolder => ResultOf(Recipe).Folder;

    /// <summary>Questions and answers before and after.</summary>
    public IReadOnlyList<RunSample> Samples => _samples;

    /// <summary>Loads everything that a recipe names. No memory is taken yet for what will be trained.</summary>
    /// <param name="recipe">What is asked for.</param>
    /// <param name="resumeFrom">The checkpoint to go on from, or null for a new run.</param>
    /// <param name="overwrite">True where checkpoints of an earlier run in the output folder may go.</param>
    /// <param name="planOnly">True where nothing will be written: what is wrong with the output folder is no reason not to plan, and is left to <see cref="Place"/>.</param>
    /// <exception cref="InputException">Something is missing or does not fit; the problems of model, data and adapter are all listed.</exception>
    public static TrainingRun Prepare(Recipe recipe, string? resumeFrom = null, bool overwrite = false, bool planOnly = false)
    {
        Problems place = new(), problems = new();
        place.Try(() => CheckpointsOf(recipe, _ => { }, overwrite).Check(resumeFrom));
        place.Try(() =>
        {
            AtomicFile.Check(Path.Combine(recipe.Output, RecipeName), $"output: {recipe.Output}");
            AtomicFolder.Check(ResultOf(recipe).Folder, ResultOf(recipe).Hallmark, $"output: {ResultOf(recipe).Folder}");
        });
        if (recipe.Training.OptimizerState is { } moments)
            problems.Try(() => AtomicFile.Check(Path.Combine(moments, "moments"), $"training.optimizer_state: {moments}"));
        // a run that goes on tells the templates the day that it began on, and computes as it began
        (DateOnly? Date, TrainingOptions Training)? began = resumeFrom is null ? null : problems.Try(() => ((DateOnly?, TrainingOptions)?)(Checkpoints.DateOf(resumeFrom), Checkpoints.Decided(resumeFrom, recipe.Training)));
        DateOnly date = recipe.Data.Date ?? began?.Date ?? DateOnly.FromDateTime(DateTime.Now);
        recipe = recipe with { Data = recipe.Data with { Date = date }, Training = began?.Training ?? recipe.Training };
        ModelFiles? files = problems.Try(() => ModelFiles.Find(recipe.Model.Path));
        ModelStorage storage = new(Parsed(recipe.Model.Quantize), Parsed(recipe.Model.QuantizeEmbeddings));
        ModelPackage? package = files is null ? null : problems.Try(() => ModelPackage.Open(files, storage, recipe.Model.Tokenizer, recipe.Model.ChatTemplate));
        static DType? Parsed(string? name) => name is null ? null : WeightStorage.Parse(name);

        try
        {
            if (package is { EndTokens.Count: 0 })
                problems.Add($"{recipe.Model.Path}: neither model nor tokenizer names an end token, so it could not learn to stop");
            (Tokenizer? tokenizer, ModelChatTemplates? templates) = package is not null ? (package.Tokenizer, package.ChatTemplates) : files is not null ? TextOf(recipe, files) : default;
            int end = tokenizer?.EosId ?? (package is { EndTokens: [int first, ..] } ? first : 0);
            // data need no more of the model than its text and its context: they are looked at even where its weights are broken
            ExampleEncoder? encoder = tokenizer is null ? null
                : new(tokenizer, templates is null ? null : templates.Render, end, recipe.Data.LossOn, date.ToDateTime(TimeOnly.MinValue));
            TrainingData? data = encoder is null ? null : problems.Try(() => TrainingData.Load(recipe.Data, encoder, package?.Model.Facts.ContextLength ?? int.MaxValue));
            // an adapter may change what weights are read, so they are looked at before
            ulong? frozen = package is null || RecipeAdapter.IsFull(recipe) ? null : Continuation.FingerprintOf(package.Model);
            Adapter? adapter = package is null ? null : problems.Try(() => RecipeAdapter.Attach(recipe, package.Model));
            IReadOnlyList<Question> questions = package is null || encoder is null ? [] : Questions(recipe, package.Model, encoder, data, problems);
            ModelText? text = package is null || !RecipeAdapter.IsFull(recipe) ? null : problems.Try(() => ModelTextOf(recipe, package));
            TrainingRun? run = problems.Any ? null : problems.Try(() => new TrainingRun(recipe, package!, data!, adapter, frozen, questions, end, text, resumeFrom, overwrite) { Place = place });
            if (run is null || !planOnly)
                place.And(problems).ThrowIfAny();
            return run!;
        }
        catch
        {
            package?.Dispose();
            throw;
        }
    }

    /// <summary>Says what will happen, before it does.</summary>
    public void PrintPlan(TextWriter output)
    {
        (long trainable, long all) = CountParameters();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"model      {Recipe.Model.Path} ({Model.Facts.ModelType}, {Model.Facts.Layers} layers, hidden {Model.Facts.Hidden})"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"method     {Recipe.Adapter.Method}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"           trainable params: {trainable:N0} || all params: {all:N0} || trainable%: {100.0 * trainable / all:0.0000}"));
        foreach (DataFileReport file in Data.Files)
            output.WriteLine($"data       {file}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"steps      {Recipe.Training.TotalSteps(StepsPerEpoch):N0} ({StepsPerEpoch:N0} an epoch), batch {Recipe.Training.BatchSize} x {Recipe.Training.GradientAccumulationSteps}, learning rate {LearningRate:0.0e+0}"));
        output.WriteLine($"optimiser  {Optimiser}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory     about {Memory.Total / 1e6:N0} MB ({Memory})"));
        if (Memory.Description != MemoryPlan.AsAsked)
            output.WriteLine($"           passes of {Memory.Description}");
        foreach (string note in Notes)
            output.WriteLine($"note       {note}");
    }

    /// <summary>The same for programs: members of one object.</summary>
    public void WritePlan(Utf8JsonWriter json)
    {
        (long trainable, long all) = CountParameters();
        json.WriteString("model", Recipe.Model.Path);
        json.WriteString("model_type", Model.Facts.ModelType);
        json.WriteString("method", Recipe.Adapter.Method);
        json.WriteNumber("trainable_params", trainable);
        json.WriteNumber("all_params", all);
        json.WriteStartArray("data");
        foreach (DataFileReport file in Data.Files)
        {
            json.WriteStartObject();
            json.WriteString("path", file.Path);
            json.WriteString("rows_are", file.Description);
            json.WriteNumber("rows", file.Rows);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("steps", Recipe.Training.TotalSteps(StepsPerEpoch));
        json.WriteNumber("steps_per_epoch", StepsPerEpoch);
        json.WriteNumber("batch_size", Recipe.Training.BatchSize);
        json.WriteNumber("gradient_accumulation_steps", Recipe.Training.GradientAccumulationSteps);
        json.WriteNumber("learning_rate", LearningRate);
        json.WriteString("optimizer", OptimizerKind.ToString());
        json.WriteBoolean("optimizer_in_backward", MovesInBackward);
        json.WriteNumber("memory_mb", Memory.Total / 1_000_000);
        json.WriteNumber("rows_of_a_pass", Memory.Passes.Items);
        json.WriteNumber("blocks_computed_again", Memory.Passes.CheckpointedBlocks);
        json.WriteString("activations", Memory.Passes.Activations == DType.BF16 ? "bf16" : "f32");
        json.WriteString("output", Recipe.Output);
        json.WriteStartArray("notes");
        foreach (string note in Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
    }

    // recipes were checked for it
    private OptimizerKind OptimizerKind => OptimizerKind.Parse(Recipe.Training.Optimizer)!.Value;

    private bool MovesInBackward => Adapter is null && Recipe.Training.UpdatesInBackward;

    private string Optimiser
    {
        get
        {
            string moments = OptimizerKind.EightBit ? "moments in eight bits" : "moments in singles";
            string place = OptimizerKind.Paged ? $", in a file in {Recipe.Training.OptimizerState ?? Checkpoints.Folder}" : "";
            return $"{OptimizerKind} ({moments}{place}){(MovesInBackward ? "; weights move in the backward pass" : "")}";
        }
    }

    private IEnumerable<string> Notes => [.. _resumeNotes, .. Adapter?.Notes ?? [], .. TextNotes, .. _package.Remarks];

    private IEnumerable<string> TextNotes => _text is null ? []
        : _text.Missing is { } reason ? [$"{ResultFolder} will have no tokenizer ({reason}); copy the one that it is trained with into it"]
        : Recipe.Model.Tokenizer is { } tokenizer ? [$"{ResultFolder} will have the tokenizer of {tokenizer}, which it is trained with"] : [];

    private (long Trainable, long All) CountParameters() =>
        (Parameters.Sum(parameter => parameter.Shape.Elements), Model.Parameters.Sum(parameter => parameter.Shape.Elements) + (Adapter?.TrainableCount ?? 0));

    /// <summary>Trains, with progress, metrics, samples and a report, and saves the result.</summary>
    public TrainResult Run(Terminal terminal, CancellationToken stop)
    {
        using OutputLock held = OutputLock.Take(Recipe.Output);
        using Trainer trainer = _trainer = new Trainer(Model, Parameters, Recipe.Training, LearningRate, Data.Train, Recipe.Data.Order, Data.Eval, Checkpoints, Memory.Passes);
        IReadOnlyList<string> before = Answers();
        if (_resumedFrom is not null)
        {
            trainer.Resume(_resumedFrom);
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"going on from {_resumedFrom}, step {trainer.StepsDone}"));
        }
        AtomicFile.WriteText(Path.Combine(Recipe.Output, RecipeName), Recipe.ToYaml());
        string metrics = Path.Combine(Recipe.Output, "metrics.jsonl");
        using MetricsLog log = _resumedFrom is null ? MetricsLog.Create(metrics) : MetricsLog.Resume(metrics, trainer.StepsDone);
        TrainResult result;
        using (TrainProgressLine progress = new(terminal, trainer.StepsDone))
        {
            trainer.Stepped = report =>
            {
                log.Add(report);
                progress.Show(report);
            };
            trainer.Evaluated = report =>
            {
                log.Add(report);
                progress.Show(report);
            };
            trainer.Saved = folder =>
            {
                log.Flush();
                progress.Say($"saved {folder}");
            };
            result = trainer.Run(stop);
        }
        log.Flush();
        if (result.Outcome == TrainOutcome.StoppedEarly && result.BestCheckpoint is { } best)
            trainer.Resume(best);
        if (result.Outcome != TrainOutcome.Interrupted)
            SaveResult();
        // answers shall not lie beside the memory of steps
        trainer.Dispose();
        IReadOnlyList<string> after = Answers();
        for (int i = 0; i < _questions.Count; i++)
            _samples.Add(new RunSample(_questions[i].Prompt, before[i], after[i], _questions[i].Expected));
        WriteReport(result, metrics);
        return result;
    }

    /// <summary>Answers to the sample questions with the weights as they are now.</summary>
    public IReadOnlyList<string> Answers()
    {
        using Generator generator = new(Model, _package.Tokenizer);
        List<Generation> answers = [.. _questions.Select(question => generator.Add(new GenerationRequest
        {
            Prompt = question.Ids,
            MaxTokens = Recipe.Samples.MaxNewTokens,
            Stop = Recipe.Samples.Stop,
            EndTokens = _endTokens,
        }))];
        generator.Run();
        return [.. answers.Select(answer => answer.Text)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer?.Dispose();
        _package.Dispose();
    }

    private static Checkpoints CheckpointsOf(Recipe recipe, Action<string> save, bool overwrite, ulong? frozen = null) =>
        new(Path.Combine(recipe.Output, "checkpoints"), recipe.Training.SaveTotalLimit, save) { Overwrite = overwrite, Date = recipe.Data.Date, Recipe = recipe, Base = frozen };

    // what can be read of a model whose problems are told already
    private static (Tokenizer? Tokenizer, ModelChatTemplates? Templates) TextOf(Recipe recipe, ModelFiles files)
    {
        try
        {
            Tokenizer tokenizer = files.LoadTokenizer(recipe.Model.Tokenizer);
            return (tokenizer, files.LoadChatTemplates(recipe.Model.ChatTemplate, tokenizer));
        }
        catch (Exception e) when (Problems.IsInput(e))
        {
            return default;
        }
    }

    // what the folder of a model that is trained as a whole says about text: what it was trained with
    private static ModelText ModelTextOf(Recipe recipe, ModelPackage package) => recipe.Model is { Tokenizer: null, ChatTemplate: null }
        ? package.Files.Text()
        : ModelText.Of(recipe.Model.Tokenizer ?? package.Files.Path, package.ChatTemplates, package.Files.IsFolder ? null : package.EndTokens);

    // what is asked before and after; only prompts that somebody wrote can be too long to be asked
    private static List<Question> Questions(Recipe recipe, CausalLm model, ExampleEncoder encoder, TrainingData? data, Problems problems)
    {
        List<Question> questions = [];
        int context = model.Facts.ContextLength - model.LearnedPrefix;
        for (int i = 0; i < recipe.Samples.Prompts.Count; i++)
        {
            string prompt = recipe.Samples.Prompts[i];
            int[] ids = encoder.Prompt(prompt);
            if (ids.Length == 0)
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"samples.prompts.{i}: is empty, and the tokenizer puts no token at the beginning of a text"));
            else if (ids.Length >= context)
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"samples.prompts.{i}: found {ids.Length} tokens, expected fewer than the {context} that the model can see"));
            questions.Add(new Question(prompt, null, ids));
        }
        if (questions.Count > 0 || data is null)
            return questions;
        foreach (DataRow row in data.Samples.Take(recipe.Samples.Count))
        {
            if (encoder.Question(row) is { } question && question.Ids.Length > 0 && question.Ids.Length + recipe.Samples.MaxNewTokens <= context)
                questions.Add(new Question(question.Prompt, question.Answer, question.Ids));
        }
        return questions;
    }

    private void SaveWeights(string folder)
    {
        if (Adapter is not null)
            AdapterFile.SaveInto(Adapter, folder, Adapter.Config.Has("base_model_name_or_path") ? null : Recipe.Model.Path);
        else
        {
            ModelFolder.SaveInto(Model, _package.Files.IsRandom ? null : _package.Files.Path, folder, null);
            _text!.WriteInto(folder);
        }
    }

    private void SaveResult() => AtomicFolder.Write(ResultFolder, SaveWeights, ResultOf(Recipe).Hallmark);

    // the folder, and the file that tells it from a folder of something else
    private static (string Folder, string Hallmark) ResultOf(Recipe recipe) => RecipeAdapter.IsFull(recipe)
        ? (Path.Combine(recipe.Output, "model"), ModelFolder.ConfigName)
        : (Path.Combine(recipe.Output, "adapter"), AdapterFile.ConfigName);

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
                ("trainable parameters", Parameters.Sum(parameter => parameter.Shape.Elements).ToString("N0", CultureInfo.InvariantCulture)),
                .. result.Tokens == 0 ? Array.Empty<(string, string)>() : [("tokens per second", (result.Tokens / Math.Max(result.Seconds, 1e-9)).ToString("N0", CultureInfo.InvariantCulture))],
                ("peak memory", (ProcessMemory.PeakBytes() / 1e6).ToString("N0", CultureInfo.InvariantCulture) + " MB"),
            ],
            Steps = steps,
            Evaluations = evaluations,
            Samples = _samples,
            Notes = Adapter?.Notes ?? [],
            Recipe = Recipe.ToYaml(),
        });
    }

    private readonly record struct Question(string Prompt, string? Expected, int[] Ids);
}
