using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// The checkpoints of a run: one folder each, <c>step-000100</c>, which appears complete or not at all. It holds the trained weights in their
/// public form (whatever the run saves: an adapter, a model), <c>optimizer.safetensors</c> and <c>trainer_state.json</c>.
/// </summary>
public sealed class Checkpoints
{
    private const string StateFile = "trainer_state.json";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string RecipeFile = "recipe.yaml";
    private const int MisfitsShown = 6;
    private const string NamePrefix = "step-";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Converters = { new JsonStringEnumConverter<Precision>(JsonNamingPolicy.SnakeCaseLower) } };

    private readonly string _folder;
    private readonly int _keep;
    private readonly Action<string> _saveWeights;
    private int? _bestStep;

    /// <summary>Checkpoints below a folder.</summary>
    /// <param name="folder">Made when the first is written.</param>
    /// <param name="keep">How many of the newest stay; the best one stays besides.</param>
    /// <param name="saveWeights">Writes the trained weights into the folder that it is handed.</param>
    public Checkpoints(string folder, int keep, Action<string> saveWeights)
    {
        _folder = folder;
        _keep = keep;
        _saveWeights = saveWeights;
    }

    /// <summary>Where they are.</summary>
    public string Folder => _folder;

    /// <summary>True: checkpoints of an earlier run make room for those of a new one.</summary>
    public bool Overwrite { get; init; }

    /// <summary>The day that the rows' chat templates were told; a run that goes on tells them the same.</summary>
    public DateOnly? Date { get; init; }

    /// <summary>The recipe of the run, which a checkpoint keeps so that nobody goes on from it with another one; null for none.</summary>
    public Recipe? Recipe { get; init; }

    /// <summary>What <see cref="Continuation.FingerprintOf"/> says of the frozen weights; null where nothing is frozen.</summary>
    public ulong? Base { get; init; }

    /// <summary>The newest complete checkpoint, or null.</summary>
    public string? Newest => NewestIn(_folder);

    /// <summary>The checkpoint of the lowest evaluation loss, or null.</summary>
    public string? Best => _bestStep is { } step && IsComplete(PathOf(step)) ? PathOf(step) : null;

    /// <summary>The newest complete checkpoint below a folder, or null.</summary>
    public static string? NewestIn(string folder) => Complete(folder).Select(found => found.Path).LastOrDefault();

    /// <summary>The newest checkpoint below a folder whose files can all be read, so that damage to one of them costs no more than the steps since the one before.</summary>
    /// <param name="folder">Where the checkpoints of a run are.</param>
    /// <param name="damaged">Hears of each newer one that cannot be read, and why.</param>
    /// <exception cref="InputException">There is none; what is wrong with each that is there is listed.</exception>
    public static string NewestValidIn(string folder, Action<string> damaged)
    {
        ArgumentNullException.ThrowIfNull(damaged);
        List<string> problems = [];
        foreach ((_, string path) in Complete(folder).Reverse())
        {
            try
            {
                ReadState(path);
                RecipeIn(path);
                using ITensorSource weights = TensorFiles.Open(WeightsFile(path)), moments = TensorFiles.Open(Path.Combine(path, OptimizerFile));
                problems.ForEach(damaged);
                return path;
            }
            catch (InputException e)
            {
                problems.Add($"{path} is damaged and is passed over: {e.Message}");
            }
        }
        throw problems.Count == 0
            ? new InputException($"{folder}: holds no checkpoint to go on from; run without --resume")
            : new InputException($"{folder}: holds no checkpoint that can be read; --overwrite begins anew", problems);
    }

    /// <summary>The day that a checkpoint's run told its chat templates, or null.</summary>
    /// <exception cref="InputException">It is no checkpoint, or damaged.</exception>
    public static DateOnly? DateOf(string checkpoint) => ReadState(checkpoint).Date;

    /// <summary>What <see cref="Precision.Auto"/> came to where a checkpoint's run began, as another processor may choose otherwise; options that say something else stay.</summary>
    /// <param name="checkpoint">Its folder.</param>
    /// <param name="options">Of the run that goes on from it.</param>
    /// <exception cref="InputException">It is no checkpoint, or damaged.</exception>
    public static TrainingOptions Decided(string checkpoint, TrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        State state = ReadState(checkpoint);
        return options with
        {
            Precision = options.Precision == Precision.Auto ? state.Precision ?? Precision.Auto : options.Precision,
            Activations = options.Activations == Precision.Auto ? state.Activations ?? Precision.Auto : options.Activations,
        };
    }

    /// <summary>Refuses a run that would mix its checkpoints with those of another one.</summary>
    /// <param name="resumedFrom">The checkpoint that the run goes on from; null for a new run.</param>
    /// <exception cref="InputException">The folder holds checkpoints of another run, and <see cref="Overwrite"/> is not set.</exception>
    public void Check(string? resumedFrom)
    {
        if (!Overwrite && !IsOwn(resumedFrom) && Newest is { } newest)
            throw new InputException($"{_folder}: holds checkpoints of an earlier run ({Path.GetFileName(newest)}). --resume goes on with it, --set output=FOLDER keeps it, --overwrite replaces it");
    }

    /// <summary>
    /// Before the first step: what a killed process left half written goes, and so do checkpoints of steps that are made again (those of an earlier run
    /// where that is wanted).
    /// </summary>
    /// <exception cref="InputException">The folder holds checkpoints of another run.</exception>
    internal void Begin(string? resumedFrom, int step)
    {
        Check(resumedFrom);
        if (!Directory.Exists(_folder))
            return;
        (int Step, string Path)[] complete = [.. Complete(_folder)];
        AtomicFile.RemoveUnfinished(_folder);
        int kept = IsOwn(resumedFrom) ? step : -1;
        foreach ((int at, string path) in complete)
        {
            if (at > kept)
                Remove(path);
        }
        // one whose removal was interrupted
        foreach (string path in Directory.EnumerateDirectories(_folder, NamePrefix + "*").Where(path => StepOf(path) >= 0 && !IsComplete(path)).ToArray())
            Directory.Delete(path, recursive: true);
    }

    /// <summary>Writes a checkpoint and removes those that are no longer kept.</summary>
    internal string Save(TrainProgress progress, Trainables trainables, AdamW optimizer, BatchLoader loader, Schedule schedule, Tape tape, bool best)
    {
        string path = PathOf(progress.Step);
        _bestStep = best ? progress.Step : progress.BestLoss is null ? null : progress.BestStep;
        AtomicFolder.Write(path, aside =>
        {
            _saveWeights(aside);
            SafetensorsWriter.Write(Path.Combine(aside, OptimizerFile), OptimizerEntries(trainables, optimizer, Missing(aside, trainables)), null);
            State state = new(1, progress, loader.State, optimizer.Steps, schedule.State, Date,
                tape.Precision == GemmPrecision.BF16 ? Precision.BF16 : Precision.F32, tape.Activations == DType.BF16 ? Precision.BF16 : Precision.F32, Base);
            if (Recipe is not null)
                AtomicFile.WriteText(Path.Combine(aside, RecipeFile), Recipe.ToYaml());
            AtomicFile.WriteText(Path.Combine(aside, StateFile), JsonSerializer.Serialize(state, Json) + "\n");
        });
        Prune(progress.Step);
        return path;
    }

    /// <summary>Puts a run back to where a checkpoint was written.</summary>
    internal static TrainProgress Load(string folder, Trainables trainables, AdamW optimizer, BatchLoader loader, Schedule schedule)
    {
        State state = ReadState(folder);
        ProblemList problems = new(MisfitsShown);
        using (ITensorSource weights = TensorFiles.Open(WeightsFile(folder)))
        using (ITensorSource moments = TensorFiles.Open(Path.Combine(folder, OptimizerFile)))
        {
            for (int i = 0; i < trainables.Parameters.Count; i++)
            {
                Parameter parameter = trainables.Parameters[i];
                Copy(moments.Find("value." + parameter.Name) ?? weights.Find(parameter.Name), parameter.Name, parameter.Value, problems);
                foreach ((string prefix, Tensor tensor) in optimizer.Moments[i].Tensors)
                    Copy(moments.Find(prefix + parameter.Name), prefix + parameter.Name, tensor, problems);
                optimizer.Release(i);
            }
        }
        problems.ThrowIfAny($"{folder}: the checkpoint does not belong to this model and recipe");
        optimizer.Steps = state.OptimizerSteps;
        loader.State = state.Sampler;
        schedule.State = state.Plateau;
        return state.Progress!.Value;
    }

    /// <summary>The recipe that a checkpoint keeps, as it is written there; null where it keeps none.</summary>
    /// <exception cref="InputException">It is damaged.</exception>
    internal static RecipeNode? RecipeIn(string folder)
    {
        string path = Path.Combine(folder, RecipeFile);
        if (!File.Exists(path))
            return null;
        try
        {
            RecipeNode recipe = Recipe.ParseNode(File.ReadAllText(path), path);
            return recipe.Kind == RecipeNodeKind.Map && recipe.Entries.Count > 0 ? recipe : throw new InputException($"{path}: damaged (it holds no settings); take an older checkpoint");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }
    }

    internal static State ReadState(string folder)
    {
        string path = Path.Combine(folder, StateFile);
        try
        {
            State state = JsonSerializer.Deserialize<State>(File.ReadAllText(path), Json) ?? throw new JsonException("the file is empty");
            if (state.Format != 1 || state.Progress is null || state.Sampler is null)
                throw new JsonException($"format {state.Format} of a checkpoint is not known");
            return state;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{folder}: is no checkpoint ({StateFile} cannot be read: {e.Message})", e);
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: damaged ({e.Message}); take an older checkpoint", e);
        }
    }

    private static void Copy(StoredTensor? stored, string name, Tensor to, ProblemList problems)
    {
        if (stored is null)
            problems.Add($"{name} {to.Shape} is missing");
        else if (stored.Type != to.Type || stored.Elements != to.Shape.Elements)
            problems.Add($"{name} is {stored.Type} {stored.ShapeText}, the run has {to}");
        else
            to.CopyFrom(Tensor.FromBytes(stored.Bytes, stored.Type, to.Shape));
    }

    // a public form that leaves something out (the encoder of a prompt) or rounds it must not lose it for the run
    private static HashSet<string> Missing(string folder, Trainables trainables)
    {
        using ITensorSource weights = TensorFiles.Open(WeightsFile(folder));
        return [.. trainables.Parameters.Where(p => weights.Find(p.Name) is not { Type: DType.F32 } stored || stored.Elements != p.Value.Shape.Elements).Select(p => p.Name)];
    }

    private static string WeightsFile(string folder)
    {
        string adapter = Path.Combine(folder, "adapter_model.safetensors");
        return File.Exists(adapter) ? adapter : folder;
    }

    private static IEnumerable<SafetensorsEntry> OptimizerEntries(Trainables trainables, AdamW optimizer, HashSet<string> missing)
    {
        for (int i = 0; i < trainables.Parameters.Count; i++)
        {
            (int index, Parameter parameter) = (i, trainables.Parameters[i]);
            foreach ((string prefix, Tensor tensor) in optimizer.Moments[i].Tensors)
                yield return Entry(prefix + parameter.Name, tensor, () => optimizer.Release(index));
            if (missing.Contains(parameter.Name))
                yield return Entry("value." + parameter.Name, parameter.Value);
        }
    }

    private static SafetensorsEntry Entry(string name, Tensor tensor, Action? written = null) => new(name, tensor.Type, tensor.Shape.ToArray(), stream =>
    {
        tensor.Contents.CopyTo(stream);
        written?.Invoke();
    });

    private string PathOf(int step) => Path.Combine(_folder, NamePrefix + step.ToString("000000", CultureInfo.InvariantCulture));

    private static bool IsComplete(string path) => File.Exists(Path.Combine(path, StateFile));

    private static IEnumerable<(int Step, string Path)> Complete(string folder)
    {
        if (!Directory.Exists(folder))
            return [];
        // an exchange that a killed process left half done is finished first
        foreach (string left in Directory.EnumerateDirectories(folder, $".{NamePrefix}*.new").ToArray())
            AtomicFolder.Recover(Path.Combine(folder, Path.GetFileNameWithoutExtension(left)[1..]));
        return Directory.EnumerateDirectories(folder, NamePrefix + "*")
            .Where(IsComplete)
            .Select(path => (Step: StepOf(path), Path: path))
            .Where(found => found.Step >= 0)
            .OrderBy(found => found.Step);
    }

    // the number in a folder's name, or -1
    private static int StepOf(string path) =>
        int.TryParse(Path.GetFileName(path)[NamePrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : -1;

    private bool IsOwn(string? checkpoint) =>
        checkpoint is not null && Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(checkpoint))) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(_folder));

    private void Prune(int written)
    {
        (int Step, string Path)[] all = [.. Complete(_folder)];
        foreach ((int step, string path) in all.Take(Math.Max(0, all.Length - _keep)))
        {
            if (step != _bestStep && step != written)
                Remove(path);
        }
    }

    private static void Remove(string path)
    {
        // without its state the folder is no checkpoint any more: a process killed in the middle of removing leaves nothing that looks like one
        File.Delete(Path.Combine(path, StateFile));
        Directory.Delete(path, recursive: true);
    }

    internal sealed record State(int Format, TrainProgress? Progress, SamplerState Sampler, int OptimizerSteps, PlateauState? Plateau, DateOnly? Date, Precision? Precision, Precision? Activations, ulong? Base);
}
