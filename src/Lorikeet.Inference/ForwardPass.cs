using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>
/// One pass over a padded batch with everything that another program's pass can be compared by: logits, loss, hidden states, gradients.
/// </summary>
public static class ForwardPass
{
    private const int LogitRows = 256;

    /// <summary>Runs the pass.</summary>
    /// <param name="model">With its adapters attached or merged.</param>
    /// <param name="inputs">The batch.</param>
    /// <param name="options">What is wanted besides logits.</param>
    /// <param name="trained">Whose gradients are wanted: the adapter's parameters, or the model's own. Read where gradients are asked for.</param>
    /// <returns>
    /// <c>logits</c> <c>[batch, seq, vocabulary]</c>, <c>loss</c> <c>[]</c>, <c>hidden_states.N</c> and <c>last_hidden_state</c> <c>[batch, seq, hidden]</c>,
    /// <c>grad.NAME</c>, all f32; rows of padding are zero.
    /// </returns>
    /// <exception cref="InputException">A loss is asked for and there are no labels, or none of them counts.</exception>
    public static IReadOnlyList<StoredTensor> Run(CausalLm model, ForwardInputs inputs, ForwardOptions options, IReadOnlyList<Parameter> trained)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(trained);
        bool needsLoss = options.Loss || options.Gradients;
        int[] targets = needsLoss ? Targets(inputs) : [];
        int[] kept = inputs.Kept;
        List<StoredTensor> results = [];
        using Tape tape = new();
        Step step = new(tape);
        if (options.HiddenStates)
            step.HiddenStates = (layer, x) => results.Add(Padded($"hidden_states.{layer}", x, inputs, kept));
        if (options.Gradients)
        {
            model.SetTrainable(false);
            foreach (Parameter parameter in trained)
                parameter.Trainable = true;
            tape.Recording = true;
        }
        step.Begin(inputs.ToBatch());
        Tensor hidden = model.Hidden(step);
        if (options.HiddenStates)
            results.Add(Padded("last_hidden_state", hidden, inputs, kept));
        tape.Recording = false;
        results.Add(Logits(model, step, hidden, inputs, kept));
        tape.Recording = options.Gradients;
        if (needsLoss)
        {
            Tensor loss = model.Loss(step, hidden, step.Copy(targets), 1f / targets.Count(target => target >= 0));
            results.Add(Stored("loss", [], Tensor.FromValues(loss.Values, default)));
            if (options.Gradients)
                tape.Backward(loss);
        }
        if (options.Gradients)
        {
            foreach (Parameter parameter in trained)
                results.Add(Stored($"grad.{parameter.Name}", parameter.Value.Shape.ToArray(), parameter.Grad!));
        }
        return results;
    }

    private static int[] Targets(ForwardInputs inputs)
    {
        if (!inputs.HasLabels)
            throw new InputException("the loss and gradients need labels [batch, seq] beside input_ids");
        int[] targets = inputs.Targets();
        return Array.Exists(targets, target => target >= 0) ? targets : throw new InputException("no label is left to predict: all are -100, in the first column or behind padding");
    }

    // the whole [tokens, vocabulary] lies in the result only, never a second time on the tape
    private static StoredTensor Logits(CausalLm model, Step step, Tensor hidden, ForwardInputs inputs, int[] kept)
    {
        int vocabulary = model.Head.Outputs;
        Tensor logits = Tensor.Create(new Shape(inputs.Batch * inputs.Length, vocabulary));
        int mark = step.Tape.Mark();
        for (int first = 0; first < kept.Length; first += LogitRows)
        {
            int count = Math.Min(LogitRows, kept.Length - first);
            Tensor part = model.Logits(step, step.Tape.RowRange(hidden, first, count));
            for (int i = 0; i < count; i++)
                part.Row(i).CopyTo(logits.Row(kept[first + i]));
            step.Tape.ReleaseTo(mark);
        }
        return Stored("logits", [inputs.Batch, inputs.Length, vocabulary], logits);
    }

    private static StoredTensor Padded(string name, Tensor rows, ForwardInputs inputs, int[] kept)
    {
        Tensor padded = Tensor.Create(new Shape(inputs.Batch * inputs.Length, rows.Columns));
        for (int i = 0; i < kept.Length; i++)
            rows.Row(i).CopyTo(padded.Row(kept[i]));
        return Stored(name, [inputs.Batch, inputs.Length, rows.Columns], padded);
    }

    private static StoredTensor Stored(string name, long[] shape, Tensor tensor) => new(name, DType.F32, shape, tensor.Contents);
}
