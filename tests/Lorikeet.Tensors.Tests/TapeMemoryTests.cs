namespace Lorikeet.Tensors.Tests;

/// <summary>What a step takes and leaves, measured on a few blocks of a decoder.</summary>
public class TapeMemoryTests
{
    private static readonly int[] Lengths = [31, 40, 17, 38, 29, 40, 22];

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_step_allocates_nothing_that_a_collector_would_have_to_find(bool recording, bool checkpointing)
    {
        SmallTransformer model = new(3) { Checkpointing = checkpointing };
        using Tape tape = new() { Recording = recording };
        for (int i = 0; i < 2 * Lengths.Length; i++)
            model.Step(tape, Lengths[i % Lengths.Length]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (int rows in Lengths)
            model.Step(tape, rows);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Steps_of_many_lengths_share_the_memory_of_the_longest(bool checkpointing)
    {
        SmallTransformer model = new(3) { Checkpointing = checkpointing };
        using Tape longest = new() { Recording = true }, mixed = new() { Recording = true };
        model.Step(longest, 60);
        Random random = new(5);
        for (int i = 0; i < 30; i++)
            model.Step(mixed, random.Next(5, 61));
        mixed.PeakBytes.ShouldBeLessThanOrEqualTo(longest.PeakBytes);
        // the smallest segment is 1 MB
        mixed.HeldBytes.ShouldBeLessThan(longest.PeakBytes * 5 / 4 + (1 << 20));
    }

    [Fact]
    public void The_memory_held_stays_what_it_was_after_the_first_steps()
    {
        SmallTransformer model = new(3);
        using Tape tape = new() { Recording = true };
        foreach (int rows in Lengths)
            model.Step(tape, rows);
        long held = tape.HeldBytes;
        for (int i = 0; i < 3 * Lengths.Length; i++)
            model.Step(tape, Lengths[i % Lengths.Length]);
        tape.HeldBytes.ShouldBe(held);
        tape.UsedBytes.ShouldBe(0);
    }

    [Fact]
    public void The_way_back_frees_what_it_has_passed()
    {
        const int rows = 40, layers = 8;
        SmallTransformer model = new(layers);
        using Tape tape = new() { Recording = true };
        Tensor loss = model.Loss(tape, rows);
        long forward = tape.UsedBytes;
        forward.ShouldBeGreaterThan(layers * SmallTransformer.BytesOfBlock(rows));
        tape.Backward(loss);
        // gradients of one block at a time, against the activations of eight
        tape.PeakBytes.ShouldBeLessThan(forward + SmallTransformer.BytesOfBlock(rows));
        // what is left: the loss, and integers and tables that no derivative passed
        tape.UsedBytes.ShouldBeLessThan(forward / 20);
    }

    [Fact]
    public void Checkpointing_holds_one_block_and_the_stream_between_blocks()
    {
        const int rows = 40;
        long few = Peak(4), many = Peak(12);
        (many - few).ShouldBeLessThan(2 * 8 * 4 * rows * 32);
        many.ShouldBeLessThan(4 * SmallTransformer.BytesOfBlock(rows));

        static long Peak(int layers)
        {
            SmallTransformer model = new(layers) { Checkpointing = true };
            using Tape tape = new() { Recording = true };
            model.Step(tape, rows);
            return tape.PeakBytes;
        }
    }

    [Fact]
    public void A_pass_without_derivatives_holds_one_block_however_many_there_are()
    {
        Peak(12).ShouldBe(Peak(2));

        static long Peak(int layers)
        {
            SmallTransformer model = new(layers);
            using Tape tape = new();
            model.Step(tape, 40);
            return tape.PeakBytes;
        }
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void Nothing_reads_memory_that_is_free_or_was_never_written(bool checkpointing, bool trainsAll)
    {
        (float[] losses, float[][] gradients) = Train(poisons: true);
        (float[] expected, float[][] expectedGradients) = Train(poisons: false);
        losses.ShouldAllBe(loss => float.IsFinite(loss));
        losses.ShouldBe(expected);
        gradients.ShouldBe(expectedGradients);

        (float[] Losses, float[][] Gradients) Train(bool poisons)
        {
            SmallTransformer model = new(3, trainsAll) { Checkpointing = checkpointing };
            using Tape tape = new() { Recording = true, Poisons = poisons, Seed = 4 };
            float[] losses = [.. Lengths.Select(rows => model.Step(tape, rows))];
            return (losses, [.. model.Parameters.Select(parameter => parameter.Grad!.Values.ToArray())]);
        }
    }
}
