using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary><c>y = x Wᵀ + b</c>, the place where LoRA and its kin act.</summary>
public sealed class Linear : Place<Linear, Tensor>
{
    /// <summary>A layer with weights of its own.</summary>
    /// <param name="weights">Scope: <c>weight</c> <c>[out, in]</c> and <c>bias</c> <c>[out]</c> lie below it.</param>
    /// <param name="inputs">in.</param>
    /// <param name="outputs">out.</param>
    /// <param name="bias">True where it has one.</param>
    /// <param name="transposed">True where the checkpoint stores <c>[in, out]</c> (GPT-2's Conv1D).</param>
    public Linear(Weights weights, int inputs, int outputs, bool bias, bool transposed = false) : base(weights)
    {
        Inputs = inputs;
        Outputs = outputs;
        Transposed = transposed;
        Weight = transposed ? weights.Matrix("weight", inputs, outputs) : weights.Matrix("weight", outputs, inputs);
        Bias = bias ? weights.Vector("bias", outputs) : null;
    }

    /// <summary>A layer that shares another module's weight (a tied head).</summary>
    public Linear(Weights weights, Parameter tied, int inputs, int outputs) : base(weights)
    {
        Inputs = inputs;
        Outputs = outputs;
        Weight = tied;
    }

    /// <summary>Columns of the input.</summary>
    public int Inputs { get; }

    /// <summary>Columns of the output.</summary>
    public int Outputs { get; }

    /// <summary>True where <see cref="Weight"/> is <c>[in, out]</c>.</summary>
    public bool Transposed { get; }

    /// <summary><c>[out, in]</c>, or <c>[in, out]</c> where <see cref="Transposed"/>. An adapter that brings a whole weight along puts its own here.</summary>
    public Parameter Weight { get; set; }

    /// <summary><c>[out]</c>.</summary>
    public Parameter? Bias { get; set; }

    /// <inheritdoc/>
    public override Tensor Plain(Tensor input, Step step) => step.Tape.Linear(input, Weight.Value, Bias?.Value, Transposed);

    /// <summary>Layers of the same input, adapters included: where none acts and no derivative is wanted, all at once.</summary>
    /// <param name="layers">At most <see cref="LinearOp.MostTogether"/>.</param>
    /// <param name="input">What all are given.</param>
    /// <param name="step">The pass.</param>
    /// <param name="outputs">Receives what each computes.</param>
    public static void Forward(ReadOnlySpan<Linear> layers, Tensor input, Step step, Span<Tensor> outputs)
    {
        ArgumentNullException.ThrowIfNull(step);
        bool together = !step.Tape.Recording && layers.Length <= LinearOp.MostTogether;
        foreach (Linear layer in layers)
            together &= layer.Adapters.Count == 0 && !layer.Transposed;
        if (!together)
        {
            for (int i = 0; i < layers.Length; i++)
                outputs[i] = layers[i].Forward(input, step);
            return;
        }
        Span<(Tensor, Tensor?)> weights = [default, default, default, default];
        for (int i = 0; i < layers.Length; i++)
            weights[i] = (layers[i].Weight.Value, layers[i].Bias?.Value);
        step.Tape.LinearTogether(input, weights[..layers.Length], outputs);
    }
}
