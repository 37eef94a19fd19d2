using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Checkpointed pieces of a computation.</summary>
internal static class CheckpointCases
{
    /// <summary>What a body is given besides its input.</summary>
    /// <param name="Tape">The step.</param>
    /// <param name="Tensors">Weights.</param>
    internal sealed record Surroundings(Tape Tape, Tensor[] Tensors);

    public static IEnumerable<OpCase> All(CaseSize s)
    {
        OpInput x = new("x", new Shape(s.Rows, s.Dim));
        OpInput up = new("up", new Shape(s.Out, s.Dim)), down = new("down", new Shape(s.Dim, s.Out)), norm = new("norm", new Shape(s.Dim));
        yield return new("CheckpointOp", "a feed-forward unit", [x, up, down], (tape, t) => tape.Checkpoint(t[0], new Surroundings(tape, t), Plain));
        yield return new("CheckpointOp", "with dropout", [x, up, down], (tape, t) => tape.Checkpoint(t[0], new Surroundings(tape, t), Dropped));
        yield return new("CheckpointOp", "two in a row, with dropout", [x, up, down], (tape, t) =>
        {
            Surroundings around = new(tape, t);
            return tape.Checkpoint(tape.Checkpoint(t[0], around, Dropped), around, Dropped);
        });
        yield return new("CheckpointOp", "one in another, with dropout", [x, up, down], (tape, t) =>
            tape.Checkpoint(t[0], new Surroundings(tape, t), static (around, x) =>
                around.Tape.Checkpoint(Dropped(around, x), around, static (around, x) => around.Tape.Add(x, around.Tape.Checkpoint(x, around, Dropped)))));
        yield return new("CheckpointOp", "a residual block", [x with { Gapless = true }, up, down, norm],
            (tape, t) => tape.Checkpoint(t[0], new Surroundings(tape, t), Residual));
        yield return new("CheckpointOp", "the input goes on beside it", [x with { Gapless = true }, up, down],
            (tape, t) => tape.Add(t[0], tape.Checkpoint(t[0], new Surroundings(tape, t), Plain)));
        yield return new("CheckpointOp", "a tensor made outside", [x, up, norm], (tape, t) =>
            tape.Checkpoint(t[0], new Surroundings(tape, [tape.ScaleColumns(t[1], t[2])]), static (around, x) => around.Tape.Linear(x, around.Tensors[0])));
        yield return new("CheckpointOp", "part of a tensor made outside", [x, up, norm], (tape, t) =>
            tape.Checkpoint(t[0], new Surroundings(tape, [tape.RowRange(tape.ScaleColumns(t[1], t[2]), 1, s.Out - 2)]), static (around, x) =>
                around.Tape.Linear(x, around.Tensors[0])));
        yield return new("CheckpointOp", "nothing inside", [x], (tape, t) => tape.Checkpoint(tape.Linear(t[0], t[0]), new Surroundings(tape, t), static (_, x) => x));
        yield return new("CheckpointOp", "part of what came in", [x], (tape, t) =>
            tape.Checkpoint(tape.Linear(t[0], t[0]), new Surroundings(tape, t), static (around, x) => around.Tape.Columns(x, 1, 2)));
        yield return new("CheckpointOp", "part of what was made", [x, up], (tape, t) =>
            tape.Checkpoint(t[0], new Surroundings(tape, t), static (around, x) => around.Tape.Columns(around.Tape.Linear(x, around.Tensors[1]), 1, 2)));
    }

    private static Tensor Plain(Surroundings around, Tensor x)
    {
        Tensor hidden = around.Tape.Activate(Activation.Silu, around.Tape.Linear(x, around.Tensors[1]));
        return around.Tape.Linear(hidden, around.Tensors[2]);
    }

    private static Tensor Dropped(Surroundings around, Tensor x)
    {
        Tensor hidden = around.Tape.Activate(Activation.Silu, around.Tape.Linear(x, around.Tensors[1]));
        return around.Tape.Linear(around.Tape.Dropout(hidden, 0.4f), around.Tensors[2]);
    }

    private static Tensor Residual(Surroundings around, Tensor x) =>
        around.Tape.AddTo(x, Dropped(around, around.Tape.RmsNorm(x, around.Tensors[3], 1e-5f)));
}
