using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>What a step takes and leaves, measured on a few blocks of a decoder.</summary>
public class TapeMemoryTests
{
    private static readonly int[] Lengths = [31, 40, 17, 38, 29, 40, 22];

    [Theory]
    [InlineData(true, false, DType.F32)]
    [InlineData(true, false, DType.BF16)]
    [InlineData(true, true, DType.BF16)]
    [InlineData(false, false, DType.F32)]
    public void A_step_allocates_nothing_that_a_collector_would_have_to_find(bool recording, bool checkpointing, DType activations)
    {
        SmallTransformer model = new(3) { Checkpointing = checkpointing, PutsAway = true };
        using Tape tape = new() { Recording = recording, Activations = activations };
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

    [Theory]
    [InlineData(false, DType.F32)]
    [InlineData(true, DType.F32)]
    [InlineData(false, DType.BF16)]
    public void A_finished_block_keeps_what_cannot_be_made_again(bool checkpointing, DType activations)
    {
        const int rows = 40, layers = 8, wide = 32 + 32, kept = 2 * 32 + 2 * 32 + 32 + 2 * 48;
        Kept(putsAway: true).ShouldBeLessThanOrEqualTo(Kept(putsAway: false) - (checkpointing ? 0 : 4L * rows * (layers - 1) * wide));
        // besides: the low-rank product, statistics, and the small rests of blocks
        (Kept(putsAway: true) / layers / rows).ShouldBeLessThan((checkpointing ? 2 * 32 : kept) * (activations == DType.BF16 ? 2 : 4) * 5 / 4 + 96);

        long Kept(bool putsAway)
        {
            SmallTransformer model = new(layers, trainsAll: false) { Checkpointing = checkpointing, PutsAway = putsAway };
            using Tape tape = new() { Recording = true, Activations = activations };
            model.Loss(tape, rows);
            return tape.UsedBytes;
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void What_is_made_again_is_what_it_was_bit_for_bit(bool checkpointing, bool trainsAll)
    {
        Gradients(putsAway: true).ShouldBe(Gradients(putsAway: false));

        float[][] Gradients(bool putsAway)
        {
            SmallTransformer model = new(3, trainsAll) { Checkpointing = checkpointing, PutsAway = putsAway };
            using Tape tape = new() { Recording = true, Poisons = true, Seed = 4 };
            foreach (int rows in Lengths)
                model.Step(tape, rows);
            return [.. model.Parameters.Select(parameter => parameter.Grad!.Values.ToArray())];
        }
    }

    [Fact]
    public void Rounded_activations_change_the_gradient_by_as_much_and_the_loss_not_at_all()
    {
        (float loss, float[] exact) = Gradient(DType.F32);
        (float same, float[] rounded) = Gradient(DType.BF16);
        same.ShouldBe(loss);
        double difference = Math.Sqrt(exact.Zip(rounded, (a, b) => Math.Pow(a - b, 2)).Sum() / exact.Sum(a => Math.Pow(a, 2)));
        difference.ShouldBeInRange(1e-5, 0.01);

        static (float Loss, float[] Gradient) Gradient(DType activations)
        {
            SmallTransformer model = new(4) { PutsAway = true };
            using Tape tape = new() { Recording = true, Poisons = true, Activations = activations };
            float loss = model.Step(tape, 40);
            return (loss, [.. model.Parameters.SelectMany(parameter => parameter.Grad!.Values.ToArray())]);
        }
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
