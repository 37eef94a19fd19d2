using Lorikeet.Tensors;

namespace Lorikeet.Training.Tests;

public sealed class BatchLoaderTests
{
    [Theory]
    [InlineData(RowOrder.Shuffle)]
    [InlineData(RowOrder.ByLength)]
    [InlineData(RowOrder.File)]
    public void Each_pass_gives_every_row_once(RowOrder order)
    {
        ExampleSet set = Rows(103);
        BatchSampler sampler = new(set, 8, order, seed: 3);
        sampler.BatchesPerEpoch.ShouldBe(13);
        List<string> passes = [];
        for (int epoch = 0; epoch < 4; epoch++)
        {
            List<int> items = [];
            for (int batch = 0; batch < 13; batch++)
                items.AddRange(sampler.Next());
            items.Order().ShouldBe(Enumerable.Range(0, 103));
            passes.Add(string.Join(' ', items));
            sampler.Epochs.ShouldBe(epoch + 1);
        }
        passes.Distinct().Count().ShouldBe(order == RowOrder.File ? 1 : 4);
    }

    [Theory]
    [InlineData(RowOrder.Shuffle)]
    [InlineData(RowOrder.ByLength)]
    [InlineData(RowOrder.File)]
    public void A_run_goes_on_from_any_step_as_if_it_had_never_stopped(RowOrder order)
    {
        ExampleSet set = Rows(29);
        BatchLoader whole = new(set, 3, 2, order, seed: 11);
        List<(SamplerState Before, string Step)> steps = [];
        for (int step = 0; step < 17; step++)
            steps.Add((whole.State, Describe(whole)));
        for (int from = 0; from < steps.Count; from++)
        {
            BatchLoader resumed = new(set, 3, 2, order, seed: 11) { State = steps[from].Before };
            for (int step = from; step < steps.Count; step++)
                Describe(resumed).ShouldBe(steps[step].Step);
        }
    }

    [Fact]
    public void Orders_are_the_same_on_every_machine_for_ever()
    {
        // the first batches of two passes, written down once: checkpoints of older versions depend on them
        BatchSampler sampler = new(Rows(10), 10, RowOrder.Shuffle, seed: 42);
        sampler.Next().ToArray().ShouldBe([3, 1, 6, 2, 5, 7, 8, 0, 4, 9]);
        sampler.Next().ToArray().ShouldBe([4, 1, 0, 8, 3, 5, 6, 2, 9, 7]);
    }

    [Fact]
    public void Rows_of_similar_length_come_together_and_the_longest_first()
    {
        ExampleSet set = Rows(400);
        BatchSampler sampler = new(set, 8, RowOrder.ByLength, seed: 5);
        int[][] batches = [.. Enumerable.Range(0, sampler.BatchesPerEpoch).Select(_ => sampler.Next().ToArray())];
        int[] Lengths(int[] batch) => [.. batch.Select(item => set.Lengths[item])];
        Lengths(batches[0]).Sum().ShouldBe(batches.Max(batch => Lengths(batch).Sum()));
        batches.Average(batch => Lengths(batch).Max() - Lengths(batch).Min()).ShouldBeLessThan(4);
        batches.Skip(1).Select(batch => Lengths(batch).Sum()).ShouldNotBe(batches.Skip(1).Select(batch => Lengths(batch).Sum()).OrderDescending());
    }

    [Fact]
    public void Changed_data_is_not_resumed_on()
    {
        SamplerState state = new BatchLoader(Rows(20), 2, 1, RowOrder.Shuffle, seed: 1).State;
        BatchLoader other = new(Rows(21), 2, 1, RowOrder.Shuffle, seed: 1);
        Should.Throw<InputException>(() => other.State = state).Message.ShouldContain("data is not what the checkpoint was made with");
        BatchLoader seed = new(Rows(20), 2, 1, RowOrder.Shuffle, seed: 2);
        Should.Throw<InputException>(() => seed.State = state).Message.ShouldContain("does not fit this run");
        BatchLoader size = new(Rows(20), 4, 1, RowOrder.Shuffle, seed: 1);
        Should.Throw<InputException>(() => size.State = state).Message.ShouldContain("batch_size 2, order shuffle, pass 0");
        Should.Throw<InputException>(() => seed.State = seed.State with { Batches = 11 }).Message.ShouldContain("does not fit this run");
    }

    [Fact]
    public void A_step_ends_with_the_pass()
    {
        BatchLoader loader = new(Rows(10), 2, 3, RowOrder.File, seed: 1);
        loader.StepsPerEpoch.ShouldBe(2);
        loader.Next().Length.ShouldBe(3);
        loader.Next().Length.ShouldBe(2);
        loader.Epochs.ShouldBe(1);
        loader.Next().Length.ShouldBe(3);
        new BatchLoader(Rows(3), 2, 100, RowOrder.File, seed: 1).Next().Length.ShouldBe(2);
    }

    [Fact]
    public void A_batch_can_be_given_out_in_smaller_passes_in_the_same_order()
    {
        BatchLoader whole = new(Rows(10), 4, 2, RowOrder.Shuffle, seed: 1), divided = new(Rows(10), 4, 2, RowOrder.Shuffle, seed: 1, passSize: 3);
        for (int step = 0; step < 5; step++)
        {
            int[] ids = [.. whole.Next().ToArray().SelectMany(batch => batch.Rows.Ids.ToArray())];
            TrainingBatch[] passes = divided.Next().ToArray();
            passes.ShouldAllBe(pass => pass.Rows.Sequences <= 3);
            passes.SelectMany(pass => pass.Rows.Ids.ToArray()).ShouldBe(ids);
            (divided.Tokens, divided.TargetTokens, divided.Epochs, divided.State).ShouldBe((whole.Tokens, whole.TargetTokens, whole.Epochs, whole.State));
        }
        divided.StepsPerEpoch.ShouldBe(whole.StepsPerEpoch);
    }

    [Theory]
    [InlineData(RowOrder.Shuffle)]
    [InlineData(RowOrder.ByLength)]
    public void Steps_allocate_nothing(RowOrder order)
    {
        BatchLoader loader = new(Rows(300), 4, 2, order, seed: 9);
        loader.Next();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 200; step++)
            loader.Next();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Shuffling_favours_no_order()
    {
        int[] first = new int[6];
        for (int seed = 0; seed < 6000; seed++)
        {
            int[] values = [0, 1, 2, 3, 4, 5];
            new SeededRandom(seed, 0).Shuffle(values);
            first[values[0]]++;
        }
        first.ShouldAllBe(count => count > 880 && count < 1120);
    }

    private static ExampleSet Rows(int count) => ExampleSet.Of(
        [.. Enumerable.Range(0, count).Select(row => TrainingExample.Whole([.. Enumerable.Range(row * 100, 2 + row * 37 % 61)]))], Packing.None, 2048);

    private static string Describe(BatchLoader loader)
    {
        List<string> batches = [];
        foreach (TrainingBatch batch in loader.Next())
            batches.Add(string.Join(' ', batch.Rows.Ids.ToArray()) + " | " + string.Join(' ', batch.Targets.ToArray()));
        return string.Join('\n', batches) + $"\n{loader.TargetTokens} of {loader.Tokens}";
    }
}
