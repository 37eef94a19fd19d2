using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>Everything that a recipe's data section names, read and cut into tokens.</summary>
public sealed class TrainingData
{
    private TrainingData(ExampleSet train, ExampleSet? eval, int maxLength, IReadOnlyList<DataFileReport> files, IReadOnlyList<DataRow> samples)
    {
        Train = train;
        Eval = eval;
        MaxLength = maxLength;
        Files = files;
        Samples = samples;
    }

    /// <summary>Rows that are kept as text, for samples before and after training.</summary>
    public const int KeptSamples = 16;

    /// <summary>What to train on.</summary>
    public ExampleSet Train { get; }

    /// <summary>What to evaluate on, or null. Rows are not packed here: the loss is the same.</summary>
    public ExampleSet? Eval { get; }

    /// <summary>Tokens of a sequence at most.</summary>
    public int MaxLength { get; }

    /// <summary>What each file turned out to be.</summary>
    public IReadOnlyList<DataFileReport> Files { get; }

    /// <summary>The first rows that are evaluated on (trained on, where there are none), as their file says them.</summary>
    public IReadOnlyList<DataRow> Samples { get; }

    /// <summary>Reads all files.</summary>
    /// <param name="options">The data section of a recipe.</param>
    /// <param name="encoder">Makes tokens.</param>
    /// <param name="contextLength">Tokens that the model can see; rows are never longer.</param>
    /// <exception cref="InputException">With every problem of every file.</exception>
    public static TrainingData Load(DataOptions options, ExampleEncoder encoder, int contextLength)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(encoder);
        ProblemList problems = new();
        if (options.MaxLength > contextLength)
            problems.Add(string.Create(Invariant, $"data.max_length: found {options.MaxLength}, expected at most the {contextLength} tokens that the model can see."));
        int maxLength = options.MaxLength ?? Math.Min(DataOptions.UsualMaxLength, contextLength);

        Part train = new(), eval = new();
        List<DataFileReport> files = [];
        foreach (DataSource source in options.Train)
            files.Add(Read(source, options, encoder, maxLength, train, problems));
        foreach (DataSource source in options.Eval)
            files.Add(Read(source, options, encoder, maxLength, eval, problems) with { ForEvaluation = true });
        problems.ThrowIfAny("The data cannot be used");

        if (options.EvalFraction > 0)
            HoldOut(options, train, eval, problems);
        // a file may be good and yet leave nothing: every row was too long, or had nothing to learn from
        if (train.Examples.Count == 0)
            problems.Add($"no row of {string.Join(", ", options.Train.Select(source => source.Path))} has a token to learn. {Advice(files.Where(file => !file.ForEvaluation), maxLength)}");
        if (options.Eval.Count > 0 && eval.Examples.Count == 0)
            problems.Add($"no row of {string.Join(", ", options.Eval.Select(source => source.Path))} has a token to evaluate. {Advice(files.Where(file => file.ForEvaluation), maxLength)}");
        problems.ThrowIfAny("The data cannot be used");

        ExampleSet trainSet = ExampleSet.Of(train.Examples, options.Packing, maxLength);
        ExampleSet? evalSet = eval.Examples.Count == 0
            ? null
            : ExampleSet.Of(eval.Examples, options.Packing == Packing.Wrapped ? Packing.Wrapped : Packing.None, maxLength);
        if (trainSet.Count == 0)
            throw new InputException("The data cannot be used: all of it together is one token long.");
        return new TrainingData(trainSet, evalSet, maxLength, files, eval.Rows.Count > 0 ? eval.Rows : train.Rows);
    }

    private static DataFileReport Read(DataSource source, DataOptions options, ExampleEncoder encoder, int maxLength, Part part, ProblemList problems)
    {
        DataReader reader = new(source, encoder.HasChatTemplate, problems);
        int longer = 0, dropped = 0, longest = 0;
        long tokens = 0, targets = 0;
        foreach (DataRow row in reader.Read())
        {
            if (encoder.Encode(row, problems) is not { } whole)
                continue;
            longest = Math.Max(longest, whole.Length);
            Truncation truncation = options.Truncation ?? (row is TextRow && reader.IsRunningText ? Truncation.Split : Truncation.KeepStart);
            if (options.Packing == Packing.Wrapped)
                truncation = Truncation.KeepStart; // the stream is cut, not the rows
            if (whole.Length > maxLength && options.Packing != Packing.Wrapped)
            {
                longer++;
                if (truncation == Truncation.Refuse)
                {
                    problems.Add(string.Create(Invariant, $"{row.Origin}: found a row of {whole.Length} tokens, expected at most {maxLength} (data.max_length). "
                        + $"Shorten it, raise max_length, or choose another truncation."));
                }
            }
            bool any = false;
            foreach (TrainingExample example in options.Packing == Packing.Wrapped ? [whole] : whole.Cut(maxLength, truncation))
            {
                if (example.Targets == 0)
                    continue;
                any = true;
                part.Examples.Add(example);
                part.RowOf.Add(part.RowCount);
                tokens += example.Length;
                targets += example.Targets;
            }
            if (!any)
            {
                dropped++;
                continue;
            }
            part.RowCount++;
            // which rows are held out is not known before all are read
            if (part.Rows.Count < KeptSamples || options.EvalFraction > 0)
                part.Rows.Add(row);
        }
        return new DataFileReport
        {
            Path = source.Path,
            Description = reader.Description,
            Rows = reader.Rows,
            Longer = longer,
            Dropped = dropped,
            Longest = longest,
            Tokens = tokens,
            TargetTokens = targets,
            Truncation = options.Truncation ?? (reader.IsRunningText ? Truncation.Split : Truncation.KeepStart),
        };
    }

    // whole rows are held out, so that no part of one is trained on
    private static void HoldOut(DataOptions options, Part train, Part eval, ProblemList problems)
    {
        if (train.RowCount < 2)
        {
            problems.Add($"data.eval_fraction: found {train.RowCount} usable row{(train.RowCount == 1 ? "" : "s")}, expected at least two to hold some out. Give data.eval, or remove eval_fraction.");
            return;
        }
        int[] order = [.. Enumerable.Range(0, train.RowCount)];
        new SeededRandom(options.SplitSeed, stream: -1).Shuffle(order);
        int count = Math.Clamp((int)Math.Round(train.RowCount * options.EvalFraction), 1, train.RowCount - 1);
        HashSet<int> held = [.. order.AsSpan(0, count)];
        List<TrainingExample> kept = [];
        for (int i = 0; i < train.Examples.Count; i++)
            (held.Contains(train.RowOf[i]) ? eval.Examples : kept).Add(train.Examples[i]);
        train.Examples = kept;
        eval.Rows.AddRange(train.Rows.Where((_, row) => held.Contains(row)).Take(KeptSamples));
    }

    private static string Advice(IEnumerable<DataFileReport> files, int maxLength) => files.Any(file => file.Longer > 0)
        ? string.Create(Invariant, $"Rows are cut to {maxLength} tokens; raise data.max_length, or choose truncation: keep_end.")
        : "Are the completions empty?";

    private sealed class Part
    {
        public List<TrainingExample> Examples { get; set; } = [];
        public List<int> RowOf { get; } = [];
        public List<DataRow> Rows { get; } = [];
        public int RowCount { get; set; }
    }
}
