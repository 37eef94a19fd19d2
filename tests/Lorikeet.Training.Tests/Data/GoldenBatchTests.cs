using Lorikeet.Formats;
using Lorikeet.Text;

namespace Lorikeet.Training.Tests;

/// <summary>What the reference trainer put before its model, and what we put before ours: the same ids, the same labels.</summary>
public sealed class GoldenBatchTests
{
    [Theory]
    [InlineData("plain_lm")]
    [InlineData("completion_only")]
    [InlineData("accum_batch4")]
    [InlineData("accum_1x4")]
    public void Rows_become_the_batches_of_the_reference(string run)
    {
        using GoldenBatches golden = new(run);
        ExampleSet set = ExampleSet.Of([.. GoldenBatches.Train.Select(row => Example(row, whole: run == "plain_lm"))], Packing.None, 2048);
        TrainingBatch batch = new();
        for (int step = 0; step < golden.Steps; step++)
        {
            int targets = 0;
            int[][] rows = golden.RowsOf(step)!;
            for (int micro = 0; micro < rows.Length; micro++)
            {
                TrainingExample[] expected = golden.Examples(step, micro);
                for (int i = 0; i < expected.Length; i++)
                {
                    set[rows[micro][i]][0].Ids.ShouldBe(expected[i].Ids);
                    set[rows[micro][i]][0].Labels.ShouldBe(expected[i].Labels);
                }
                batch.Fill(set, rows[micro]);
                ShouldHold(batch, expected);
                targets += batch.TargetTokens;
            }
            targets.ShouldBe(golden.TargetsOf(step));
        }
    }

    [Fact]
    public void Lines_of_the_file_become_the_tokens_of_the_reference()
    {
        using GgufFile model = GgufFile.Open(GoldenData.Shared("golden-stories260K", "stories260K-f32.gguf"));
        Tokenizer tokenizer = Tokenizer.FromGguf(new GgufVocabulary
        {
            Model = model.Metadata.Text("tokenizer.ggml.model")!,
            Tokens = model.Metadata.Texts("tokenizer.ggml.tokens")!,
            Scores = model.Metadata.Numbers("tokenizer.ggml.scores")!,
            TokenTypes = [.. model.Metadata.Integers("tokenizer.ggml.token_type")!.Select(type => (int)type)],
            BosId = 1,
            EosId = 2,
        });
        DataSource source = new()
        {
            Path = GoldenData.Shared("ds-e2e-lora", "valid.txt"), Separator = "||", Fields = ["left", "right"], Strip = true, Prompt = "{left} ->", Completion = "{right}",
        };
        TrainingData data = TrainingData.Load(new DataOptions { Train = [source] }, new ExampleEncoder(tokenizer, null, tokenizer.EosId!.Value, null), 512);
        foreach (((int[] prompt, int[] completion), int line) in GoldenBatches.Train.Zip(GoldenBatches.TrainLines))
        {
            TrainingExample expected = TrainingExample.Completion(prompt, completion);
            data.Train[line][0].Ids.ShouldBe(expected.Ids);
            data.Train[line][0].Labels.ShouldBe(expected.Labels);
        }
    }

    [Fact]
    public void A_step_counts_its_targets_over_all_batches_before_the_first_is_computed()
    {
        using GoldenBatches golden = new("accum_1x4");
        int[] order = [.. Enumerable.Range(0, golden.Steps).SelectMany(step => golden.RowsOf(step)!).SelectMany(rows => rows)];
        TrainingExample[] inOrder = [.. order.Select(row => Example(GoldenBatches.Train[row], whole: false))];
        foreach ((int batchSize, int accumulation) in ((int, int)[])[(1, 4), (2, 2), (4, 1)])
        {
            BatchLoader loader = new(ExampleSet.Of(inOrder, Packing.None, 2048), batchSize, accumulation, RowOrder.File, seed: 0);
            for (int step = 0; step < golden.Steps; step++)
            {
                ReadOnlySpan<TrainingBatch> batches = loader.Next();
                batches.Length.ShouldBe(accumulation);
                loader.TargetTokens.ShouldBe(golden.TargetsOf(step));
            }
        }
    }

    [Fact]
    public void Two_turns_count_only_where_the_assistant_speaks()
    {
        // the reference's conversations are rows 2n and 2n + 1, one after the other
        TrainingExample[] conversations = [.. Enumerable.Range(0, 50).Select(n =>
        {
            TrainingExample first = Example(GoldenBatches.Train[2 * n], whole: false), second = Example(GoldenBatches.Train[2 * n + 1], whole: false);
            return new TrainingExample([.. first.Ids, .. second.Ids], [.. first.Labels, .. second.Labels]);
        })];
        CompareUnordered("assistant_only", conversations);
    }

    [Theory]
    [InlineData("truncated", Truncation.KeepStart, 99)]
    [InlineData("truncated_keep_end", Truncation.KeepEnd, 100)]
    public void Long_rows_are_cut_as_the_reference_cuts_them(string run, Truncation truncation, int left)
    {
        TrainingExample[] cut = [.. GoldenBatches.Train.SelectMany(row => Example(row, whole: false).Cut(60, truncation)).Where(e => e.Targets > 0)];
        cut.Length.ShouldBe(left); // one prompt alone fills 60 tokens: its row has nothing to learn from
        CompareUnordered(run, cut);
    }

    [Fact]
    public void Packs_of_whole_rows_are_those_of_the_reference()
    {
        using GoldenBatches golden = new("packing_bfd");
        ExampleSet set = ExampleSet.Of([.. GoldenBatches.Train.Select(row => Example(row, whole: true))], Packing.Bfd, 160);
        Dictionary<string, int> packOf = Enumerable.Range(0, set.Count).ToDictionary(pack => Key(set[pack].SelectMany(s => s.Ids)));
        TrainingBatch batch = new();
        HashSet<int> seen = [];
        for (int step = 0; step < golden.Steps; step++)
        {
            // the reference flattens the packs of a batch into one row: take as many sequences as make up a pack of ours, twice
            int[] ids = golden.Tensor(step, 0, "input_ids")[0], labels = golden.Tensor(step, 0, "labels")[0];
            int[] starts = golden.Tensor(step, 0, "cu_seq_lens_q")[0];
            List<int> packs = [];
            for (int from = 0, to = 1; to < starts.Length; to++)
            {
                if (packOf.TryGetValue(Key(ids[starts[from]..starts[to]]), out int pack))
                {
                    packs.Add(pack);
                    from = to;
                }
            }
            packs.Count.ShouldBe(2);
            packs.ShouldAllBe(pack => seen.Add(pack));

            batch.Fill(set, [.. packs]);
            batch.Rows.Ids.ToArray().ShouldBe(ids);
            batch.Rows.Positions.ToArray().ShouldBe(golden.Tensor(step, 0, "position_ids")[0]);
            Enumerable.Range(0, batch.Rows.Sequences + 1).Select(batch.Rows.Start).ShouldBe(starts);
            batch.Targets.ToArray().ShouldBe([.. labels.Skip(1), TrainingExample.Ignored]);
            batch.TargetTokens.ShouldBe(golden.TargetsOf(step));
            batch.Rows.Group(0).ShouldBe(0);
            batch.Rows.Group(batch.Rows.Sequences - 1).ShouldBe(1);
        }
    }

    [Fact]
    public void A_stream_cut_in_equal_pieces_is_that_of_the_reference() => CompareUnordered(
        "packing_wrapped",
        [.. Items(ExampleSet.Of([.. GoldenBatches.Train.Select(row => Example(row, whole: true))], Packing.Wrapped, 96))]);

    private static TrainingExample Example((int[] Prompt, int[] Completion) row, bool whole) =>
        whole ? TrainingExample.Whole([.. row.Prompt, .. row.Completion]) : TrainingExample.Completion(row.Prompt, row.Completion);

    private static IEnumerable<TrainingExample> Items(ExampleSet set) => Enumerable.Range(0, set.Count).Select(item => set[item].ShouldHaveSingleItem());

    // where the reference did not keep the order, its rows name ours
    private static void CompareUnordered(string run, TrainingExample[] examples)
    {
        using GoldenBatches golden = new(run);
        ExampleSet set = ExampleSet.Of(examples, Packing.None, 2048);
        ILookup<string, int> places = Enumerable.Range(0, set.Count).ToLookup(item => Key(set[item][0].Ids));
        TrainingBatch batch = new();
        for (int step = 0; step < golden.Steps; step++)
        {
            TrainingExample[] expected = golden.Examples(step, 0);
            // rows with equal ids may differ in labels once they are cut
            int[] items = [.. expected.Select(e => places[Key(e.Ids)].First(item => set[item][0].Labels.SequenceEqual(e.Labels)))];
            batch.Fill(set, items);
            ShouldHold(batch, expected);
            batch.TargetTokens.ShouldBe(golden.TargetsOf(step));
        }
    }

    private static void ShouldHold(TrainingBatch batch, TrainingExample[] expected)
    {
        batch.Rows.Sequences.ShouldBe(expected.Length);
        batch.Rows.Ids.ToArray().ShouldBe(expected.SelectMany(e => e.Ids));
        batch.Rows.Positions.ToArray().ShouldBe(expected.SelectMany(e => Enumerable.Range(0, e.Length)));
        batch.Targets.ToArray().ShouldBe(expected.SelectMany(e => e.Labels.Skip(1).Append(TrainingExample.Ignored)));
    }

    private static string Key(IEnumerable<int> ids) => string.Join(' ', ids);
}
