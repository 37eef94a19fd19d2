using Lorikeet.Formats;

namespace Lorikeet.Training;

/// <summary>What no single value of a recipe shows: options that contradict each other or would do nothing, and files that are not there.</summary>
internal sealed class RecipeChecks(Recipe recipe, RecipeNode root, RecipeProblems problems)
{
    private bool Evaluates => recipe.Data.Eval.Count > 0 || recipe.Data.EvalFraction > 0;

    private bool IsFull => string.Equals(recipe.Adapter.Method, "full", StringComparison.OrdinalIgnoreCase);

    /// <summary>Runs all of them.</summary>
    public void Run()
    {
        Quantization();
        Duration();
        Rates();
        Optimizer();
        Evaluation();
        Rows();
        if (recipe.Training.Memory is { } memory && MemorySize.Parse(memory) is null)
            Complain("training.memory", $"found {memory}, expected a size: {MemorySize.Examples}");
        for (int i = 0; i < recipe.Data.Train.Count; i++)
            Source(recipe.Data.Train[i], Item("data.train", i, recipe.Data.Train.Count));
        for (int i = 0; i < recipe.Data.Eval.Count; i++)
            Source(recipe.Data.Eval[i], Item("data.eval", i, recipe.Data.Eval.Count));
    }

    private void Quantization()
    {
        Quantization("model.quantize", recipe.Model.Quantize);
        Quantization("model.quantize_embeddings", recipe.Model.QuantizeEmbeddings);
    }

    private void Quantization(string key, string? name)
    {
        if (name is null)
            return;
        if (WeightStorage.Parse(name) is null)
            Complain(key, $"found {name}, expected one of {string.Join(", ", WeightStorage.Names)}");
        else if (IsFull)
            Complain(key, "full fine-tuning trains the matrices themselves, which cannot stay quantised; remove the key, or train an adapter (method: lora)");
    }

    private void Duration()
    {
        TrainingOptions training = recipe.Training;
        if (training.Epochs is not null && training.Steps is not null)
            Complain("training.steps", "found both steps and epochs, expected one: each alone says when training ends");
        if (training.WarmupSteps is not null && training.WarmupRatio is not null)
            Complain("training.warmup_ratio", "found both warmup_steps and warmup_ratio, expected one: they say the same thing");
        if (training.WarmupSteps is { } warmup && training.Steps is { } steps && warmup >= steps)
            Complain("training.warmup_steps", $"found {warmup} steps of warm-up in a run of {steps}, expected fewer: the full rate would never be used");
    }

    private void Rates()
    {
        TrainingOptions training = recipe.Training;
        ScheduleOptions schedule = training.LrScheduler;
        string[] used = [.. ScheduleOptions.KeysOf(schedule.Kind).Select(RecipeNames.Of)];
        foreach ((string key, System.Reflection.PropertyInfo property) in RecipeNames.KeysOf(typeof(ScheduleOptions)))
        {
            if (property.Name != nameof(ScheduleOptions.Kind) && property.GetValue(schedule) is not null && !used.Contains(key))
            {
                Complain($"training.lr_scheduler.{key}", $"has no effect with {RecipeNames.Of(schedule.Kind.ToString())}"
                    + (used.Length == 0 ? ", which has no settings" : $", which has {string.Join(", ", used)}"));
            }
        }
        if (schedule.Kind == ScheduleKind.Polynomial && training.LearningRate is { } rate && (schedule.EndLr ?? Schedule.DefaultEndLr) >= rate)
        {
            Complain("training.lr_scheduler.end_lr",
                string.Create(Invariant, $"found {schedule.EndLr ?? Schedule.DefaultEndLr}, expected less than the learning_rate of {rate}"));
        }
        if (schedule.Kind == ScheduleKind.CosineWithRestarts && schedule.Cycles is { } cycles && cycles != Math.Floor(cycles))
            Complain("training.lr_scheduler.cycles", string.Create(Invariant, $"found {cycles}, expected a whole number of restarts"));
        if (schedule.Kind == ScheduleKind.ReduceOnPlateau && (training.WarmupSteps ?? training.WarmupRatio ?? 0) > 0)
            Complain("training.lr_scheduler", "reduce_on_plateau has no warm-up; remove warmup_steps and warmup_ratio, or choose another schedule");
        if (schedule is { Kind: ScheduleKind.WarmupStableDecay, StableSteps: { } stable } && training.Steps is { } steps
            && (training.WarmupSteps ?? 0) + stable + Schedule.DecaySteps(schedule, steps) is int parts && parts > steps)
        {
            Complain("training.lr_scheduler.stable_steps", $"found {parts} steps of warm-up, plateau and decay in a run of {steps}, expected no more than the run has");
        }
    }

    private void Optimizer()
    {
        TrainingOptions training = recipe.Training;
        OptimizerKind? kind = OptimizerKind.Parse(training.Optimizer);
        if (kind is null)
        {
            string near = NearestName.Of(training.Optimizer, OptimizerKind.Names) is { } name ? $". Did you mean {name}?" : "";
            Complain("training.optimizer", $"found {training.Optimizer}, expected one of {string.Join(", ", OptimizerKind.Names)}{near}");
        }
        else if (training.OptimizerState is not null && !kind.Value.Paged)
        {
            Complain("training.optimizer_state", $"has no effect with {training.Optimizer}, whose moments are in memory; write optimizer: paged_{kind}, or remove the key");
        }
        if (training.OptimizerInBackward == true && training.WhyGradientsStay is { } reason)
            Complain("training.optimizer_in_backward", reason);
        else if (training.OptimizerInBackward == true && !IsFull)
            Complain("training.optimizer_in_backward", "is for full fine-tuning; the gradients of an adapter take little memory. Remove the key, or write adapter: {method: full}");
    }

    private void Evaluation()
    {
        TrainingOptions training = recipe.Training;
        if (recipe.Data.Eval.Count > 0 && recipe.Data.EvalFraction > 0)
            Complain("data.eval_fraction", "found both eval and eval_fraction, expected one: rows to evaluate on come from their own files or from the training files");
        const string Remedy = "; give data.eval or data.eval_fraction";
        if (training.EvalEvery is not null && !Evaluates)
            Complain("training.eval_every", "there is nothing to evaluate on" + Remedy);
        if (training.EarlyStoppingPatience is not null && !Evaluates)
            Complain("training.early_stopping_patience", "early stopping needs evaluations, and there is nothing to evaluate on" + Remedy + ", and training.eval_every");
        else if (training.EarlyStoppingPatience is not null && training.EvalEvery is null)
            Complain("training.early_stopping_patience", "early stopping needs evaluations during training; give training.eval_every");
        else if (training.EarlyStoppingPatience is null && training.EarlyStoppingThreshold > 0)
            Complain("training.early_stopping_threshold", "has no effect without early_stopping_patience");
        if (training.LrScheduler.Kind == ScheduleKind.ReduceOnPlateau && (!Evaluates || training.EvalEvery is null))
            Complain("training.lr_scheduler", "reduce_on_plateau follows the evaluation loss; give data.eval or data.eval_fraction, and training.eval_every");
    }

    private void Rows()
    {
        DataOptions data = recipe.Data;
        if (data.Packing != Packing.None && data.Order == RowOrder.ByLength)
            Complain("data.order", "found by_length together with packing, expected one: packs are all of the same length already");
        if (data.Packing == Packing.Wrapped && data.Truncation is not null)
            Complain("data.truncation", "has no effect with packing: wrapped, which cuts the stream of all rows every max_length tokens");
        if (data.EvalFraction > 0 && data.Train.Count == 0)
            Complain("data.eval_fraction", "there are no training rows to hold any out from");
    }

    private void Source(DataSource source, string path)
    {
        bool isText = DataFileTypes.Of(source) == DataFileType.Text;
        if (source.Path.Length > 0 && !File.Exists(source.Path))
            Complain($"{path}.path", MissingFile(source.Path));
        if (source.Completion is not null && source.Prompt is null)
            Complain($"{path}.completion", "found a completion without a prompt; give prompt too, or write it as text");
        if (source.Prompt is not null && source.Completion is null)
            Complain($"{path}.prompt", "found a prompt without a completion; give completion too, or write it as text");
        bool templated = source.Text is not null || source.Prompt is not null || source.Completion is not null;
        if (source.Text is not null && (source.Prompt is not null || source.Completion is not null))
            Complain($"{path}.text", "found text together with prompt and completion, expected one of the two: a row has one form");
        if (templated && source.Format is { } format)
            Complain($"{path}.format", $"found {RecipeNames.Of(format.ToString())} together with a template, which already says what a row is; remove one of the two");
        if (templated && (source.MessagesField ?? source.RoleField ?? source.ContentField) is not null)
            Complain($"{path}.messages_field", "found names of chat fields together with a template; remove one of the two");
        foreach ((string key, string? template) in ((string, string?)[])[("prompt", source.Prompt), ("completion", source.Completion), ("text", source.Text)])
        {
            if (template is not null && RowTemplate.Check(template) is { } problem)
                Complain($"{path}.{key}", problem);
        }
        if (source.Separator is not null && !isText)
            Complain($"{path}.separator", "a separator divides lines of plain text; this file is " + DataFileTypes.Describe(DataFileTypes.Of(source)) + " by its name. Set file_type: text if it is not");
        if (source.Fields is not null && source.Separator is null)
            Complain($"{path}.fields", "names of fields need a separator that divides a line into them");
        else if (source.Fields is { Count: < 2 })
            Complain($"{path}.fields", "found fewer than two names, expected one for each part that the separator makes");
        else if (source.Fields is { } fields && fields.Distinct().Count() < fields.Count)
            Complain($"{path}.fields", "found the same name twice");
        if (source.SplitBy != TextUnit.File && (!isText || source.Separator is not null))
            Complain($"{path}.split_by", "splits running text; rows of this file are already given by its form");
        if (isText && source.Separator is null && (templated || source.Format is not null and not RowFormat.Text))
            Complain($"{path}.{(templated ? source.Text is null ? "prompt" : "text" : "format")}", "running text has no fields; give a separator, or set file_type if the file is JSON or a table");
        if (source.AsChat == true && source.Text is not null)
            Complain($"{path}.as_chat", "a text has no prompt and completion to become turns of a chat");
    }

    private string MissingFile(string path)
    {
        string folder = Path.GetDirectoryName(root.Location.Source) ?? "";
        string besides = Path.Combine(folder, path);
        if (Directory.Exists(path))
            return $"found the folder '{path}', expected a file; name the files in it";
        return folder.Length > 0 && !Path.IsPathRooted(path) && File.Exists(besides)
            ? $"no such file: '{path}'. Paths are relative to the current folder; write {besides}"
            : $"no such file: '{path}' (the current folder is {Directory.GetCurrentDirectory()})";
    }

    private static string Item(string path, int index, int count) => count == 1 ? path : string.Create(Invariant, $"{path}.{index}");

    private void Complain(string path, string problem) => problems.Add(Locate(path), $"{path}: {problem}.");

    // the deepest place on the path that was written
    private RecipeLocation Locate(string path)
    {
        RecipeNode node = root;
        RecipeLocation place = root.Location;
        foreach (string name in path.Split('.'))
        {
            if (node.Kind == RecipeNodeKind.List)
            {
                int index = int.TryParse(name, out int i) ? i : 0;
                if (index >= node.Items.Count)
                    break;
                node = node.Items[index];
                place = node.Location;
                if (int.TryParse(name, out _))
                    continue;
            }
            if (node[name] is not { } child)
                break;
            place = node.LocationOf(name);
            node = child;
        }
        return place;
    }
}
