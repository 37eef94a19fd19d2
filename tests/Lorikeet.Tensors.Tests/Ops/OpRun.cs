using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>One run of a case, forward and backward, on a tape whose free and unwritten memory is NaN.</summary>
internal sealed class OpRun
{
    private const ulong Seed = 77;

    /// <summary>True where the derivative can pass.</summary>
    public bool Recording { get; init; } = true;

    /// <summary>Which inputs want a derivative; null for all that can.</summary>
    public bool[]? Wanted { get; init; }

    /// <summary>How the inputs lie in memory; null for tensors of their own.</summary>
    public InputLayout[]? Layouts { get; init; }

    /// <summary>The numbers of the inputs; null for the case's own.</summary>
    public float[][]? Values { get; init; }

    /// <summary>Gradients that are there before; the inputs are then held outside the tape, as parameters are.</summary>
    public float[][]? Earlier { get; init; }

    /// <summary>How many times the op runs on the same tensors.</summary>
    public int Repeats { get; init; } = 1;

    /// <summary>The first number of the random stream.</summary>
    public ulong Counter { get; init; }

    /// <summary>Which projection of the output is differentiated first.</summary>
    public int Projection { get; init; }

    /// <summary>What is kept after the forward pass, as after a block of a model (<see cref="Tape.PutAway"/>); null to keep everything.</summary>
    public DType? PutsAwayAs { get; init; }

    /// <summary>False for a tape as programs use it.</summary>
    public bool Poisons { get; init; } = true;

    /// <summary>Runs the case.</summary>
    public OpResult Of(OpCase item)
    {
        using Tape tape = new() { Recording = Recording, Seed = Seed, Counter = Counter, Poisons = Poisons };
        return On(tape, item);
    }

    /// <summary>Runs the case on a given tape.</summary>
    public OpResult On(Tape tape, OpCase item)
    {
        float[][] values = Values ?? OwnValues(item);
        Tensor[] leaves = new Tensor[item.Inputs.Length], inputs = new Tensor[item.Inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            bool wanted = item.Inputs[i].Differentiable && (Wanted is null || Wanted[i]);
            (leaves[i], inputs[i]) = Earlier is null
                ? InputLayouts.Make(tape, item.Inputs[i], values[i], Layouts is null ? InputLayout.Whole : Layouts[i], wanted)
                : Parameter(item.Inputs[i], values[i], wanted ? Earlier[i] : null);
        }
        Tensor[] outputs = new Tensor[Repeats];
        for (int i = 0; i < Repeats; i++)
            outputs[i] = item.Run(tape, inputs);
        float[] output = [.. outputs.SelectMany(Read)];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (item.Inputs[i].Type == DType.F32)
                Read(inputs[i]).ShouldBe(values[i], $"{item}: input {item.Inputs[i].Name} was changed");
        }
        if (PutsAwayAs is { } storage)
        {
            tape.Activations = storage;
            Tensor other = tape.New(new Shape(1));
            tape.PutAway(0, other, other);
        }
        ulong counter = tape.Counter;
        bool recorded = outputs[0].RequiresGrad;
        for (int i = 0; i < Repeats && recorded; i++)
            StartFrom(tape, outputs[i], Weights(outputs[i].Shape, Projection + i));
        if (recorded)
            tape.BackwardTo(0);
        float[]?[] gradients = [.. leaves.Select((leaf, i) => leaf.Grad is null ? null : InputLayouts.Gradient(leaf, item.Inputs[i], Layouts is null ? InputLayout.Whole : Layouts[i]))];
        return new OpResult(output, gradients, recorded, counter);
    }

    /// <summary>The numbers of a case's inputs.</summary>
    public static float[][] OwnValues(OpCase item) => [.. item.Inputs.Select((input, i) => input.Values(100 + i))];

    /// <summary>What the elements of an output are weighted with; a loss stays as it is.</summary>
    public static float[] Weights(Shape shape, int projection)
    {
        if (shape.Elements == 1)
            return [1];
        Random random = new(9 + projection);
        return [.. Enumerable.Range(0, (int)shape.Elements).Select(_ => random.NextSingle() * 2 - 1)];
    }

    /// <summary>The weighted sum of an output.</summary>
    public static double Project(float[] output, int projection)
    {
        float[] weights = Weights(new Shape(output.Length), projection);
        double sum = 0;
        for (int i = 0; i < output.Length; i++)
            sum += (double)output[i] * weights[i];
        return sum;
    }

    private static void StartFrom(Tape tape, Tensor output, float[] weights)
    {
        Tensor gradient = tape.GradOf(output, out _)!;
        for (int row = 0; row < output.Rows; row++)
            weights.AsSpan(row * output.Columns, output.Columns).CopyTo(gradient.Row(row));
    }

    private static (Tensor Leaf, Tensor Input) Parameter(OpInput input, float[] values, float[]? gradient)
    {
        Tensor tensor = Stored.Make(input.Type, input.Shape, values);
        if (gradient is not null)
        {
            tensor.RequiresGrad = true;
            tensor.Grad = Tensor.FromValues(gradient, input.Shape);
        }
        return (tensor, tensor);
    }

    private static float[] Read(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Elements];
        for (int row = 0; row < tensor.Rows; row++)
            tensor.ReadRow(row, values.AsSpan(row * tensor.Columns));
        return values;
    }
}
