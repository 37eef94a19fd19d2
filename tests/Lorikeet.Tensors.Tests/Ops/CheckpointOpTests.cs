using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public class CheckpointOpTests
{
    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 0.3f)]
    [InlineData(false, 0.3f)]
    public void A_model_trains_to_the_same_bits_with_and_without(bool trainsAll, float dropout)
    {
        (float[] losses, float[][] gradients) = Train(checkpointing: true);
        (float[] expected, float[][] expectedGradients) = Train(checkpointing: false);
        losses.ShouldBe(expected);
        gradients.ShouldBe(expectedGradients);

        (float[] Losses, float[][] Gradients) Train(bool checkpointing)
        {
            SmallTransformer model = new(3, trainsAll) { Checkpointing = checkpointing, Dropout = dropout };
            using Tape tape = new() { Recording = true, Poisons = true, Seed = 11 };
            float[] losses = [.. new[] { 9, 17, 12 }.Select(rows => model.Step(tape, rows))];
            return (losses, [.. model.Parameters.Select(parameter => parameter.Grad!.Values.ToArray())]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pieces_within_pieces_give_the_same_bits(bool trainsInput)
    {
        (float[] output, float[] gradient, float[] ofInput, ulong counter) = Run(true);
        (float[] Output, float[] Gradient, float[] OfInput, ulong Counter) plain = Run(false);
        output.ShouldBe(plain.Output);
        gradient.ShouldBe(plain.Gradient);
        ofInput.ShouldBe(plain.OfInput);
        counter.ShouldBe(plain.Counter);

        (float[], float[], float[], ulong) Run(bool checkpoints)
        {
            using Tape tape = new() { Recording = true, Poisons = true, Seed = 5 };
            Piece piece = new(tape, Numbers.Trainable(2, 6, 6), checkpoints);
            Tensor x = Numbers.Random(1, 4, 6);
            x.RequiresGrad = trainsInput;
            Tensor y = piece.Outer(piece.Outer(x));
            float[] output = y.Values.ToArray();
            Numbers.Random(3, 4, 6).Values.CopyTo(tape.GradOf(y, out _)!.Values);
            ulong counter = tape.Counter;
            tape.BackwardTo(0);
            tape.Counter.ShouldBe(counter, "draws of the way back are those of the way there");
            return (output, piece.Weight.Grad!.Values.ToArray(), x.Grad is null ? [] : x.Grad.Values.ToArray(), counter);
        }
    }

    [Fact]
    public void Where_nothing_wants_a_derivative_nothing_is_noted()
    {
        using Tape tape = new() { Recording = true, Poisons = true };
        Tensor y = tape.Checkpoint(Numbers.Random(1, 4, 6), tape, static (tape, x) => tape.Scale(tape.Scale(x, 2), 3));
        y.RequiresGrad.ShouldBeFalse();
        tape.NodeCount.ShouldBe(0);
        y.ShouldBeNear((i, j) => 6 * Numbers.Random(1, 4, 6).At(i, j));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_the_result_stays_in_memory(bool recording)
    {
        using Tape tape = new() { Recording = recording };
        Tensor x = Numbers.Trainable(1, 64, 64);
        long before = tape.UsedBytes;
        Tensor y = tape.Checkpoint(x, tape, static (tape, x) => tape.Activate(Activation.Silu, tape.Linear(tape.Linear(x, x), x)));
        (tape.UsedBytes - before).ShouldBeLessThan(y.Bytes * 5 / 4);
        tape.NodeCount.ShouldBe(recording ? 1 : 0);
    }

    [Fact]
    public void What_a_piece_shares_with_others_is_kept_when_asked()
    {
        using Tape tape = new() { Recording = true, Poisons = true };
        Shared shared = new() { Tape = tape };
        Tensor x = Numbers.Trainable(1, 3, 3);
        Tensor y = tape.Checkpoint(tape.Checkpoint(x, shared, static (shared, x) => shared.Use(x)), shared, static (shared, x) => shared.Use(x));
        y.ShouldBeNear((i, j) => 4 * x.At(i, j));
        tape.GradOf(y, out _)!.Values.Fill(1);
        tape.BackwardTo(0);
        x.Grad!.ShouldBeNear((_, _) => 4);
    }

    [Fact]
    public void Its_result_may_be_worked_on_in_place()
    {
        using Tape tape = new() { Recording = true, Poisons = true };
        Tensor x = Numbers.Trainable(1, 3, 4);
        Tensor seen = tape.Checkpoint(x, tape, static (tape, x) => tape.Attention(x, x, x, OpCases.Integers(tape, [0, 0, 0]), OpCases.Integers(tape, [1, 2, 3]), 1, 1, 1));
        Tensor plain = tape.Attention(x, x, x, OpCases.Integers(tape, [0, 0, 0]), OpCases.Integers(tape, [1, 2, 3]), 1, 1, 1);
        tape.AddTo(x, seen).ShouldBeNear(tape.Add(x, plain).At);
    }

    private sealed record Piece(Tape Tape, Tensor Weight, bool Checkpoints)
    {
        public Tensor Outer(Tensor x) => Checkpoints ? Tape.Checkpoint(x, this, static (piece, x) => piece.Whole(x)) : Whole(x);

        private Tensor Whole(Tensor x) => Inner(Tape.Dropout(Inner(x), 0.3f));

        private Tensor Inner(Tensor x) => Checkpoints ? Tape.Checkpoint(x, this, static (piece, x) => piece.Part(x)) : Part(x);

        private Tensor Part(Tensor x) => Tape.AddTo(x, Tape.Linear(Tape.Dropout(Tape.RmsNorm(x, null, 1e-5f), 0.2f), Weight));
    }

    private sealed class Shared
    {
        private Tensor? _factors;

        public required Tape Tape { get; init; }

        public Tensor Use(Tensor x)
        {
            if (_factors is null)
            {
                _factors = Tape.Keep(Tape.New(new Shape(3)));
                _factors.Values.Fill(2);
            }
            return Tape.ScaleColumns(x, _factors);
        }
    }
}
