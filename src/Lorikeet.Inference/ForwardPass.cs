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
    /// <c>logits</c> <c>[batch, seq, vocabulary]</c> (of a token classifier <c>[batch, seq, labels]</c>, of a classifier of texts <c>[batch, labels]</c>),
    /// <c>loss</c> <c>[]</c>, <c>hidden_states.N</c> and <c>last_hidden_state</c> <c>[batch, seq, hidden]</c>, <c>grad.NAME</c>, all f32; rows of padding are zero.
    /// </returns>
    /// <exception cref="InputException">A loss is asked for and there are no labels, or none of them counts.</exception>
    public static IReadOnlyList<StoredTensor> Run(LanguageModel model, ForwardInputs inputs, ForwardOptions options, IReadOnlyList<Parameter> trained)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(trained);
        bool needsLoss = options.Loss || options.Gradients;
        if (needsLoss)
            CheckLabels(model, inputs);
        int[] kept = inputs.Kept;
        RaggedBatch batch = inputs.ToBatch();
        int[] pooled = model is SequenceClassifier classifier ? inputs.PooledRows(classifier, batch) : [];
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
        step.Begin(batch);
        Tensor hidden = model.Hidden(step);
        if (options.HiddenStates)
            results.Add(Padded("last_hidden_state", hidden, inputs, kept));
        Tensor? loss = null;
        if (model is SequenceClassifier texts)
        {
            Tensor logits = texts.Logits(step, tape.SelectRows(hidden, step.Copy(pooled)));
            results.Add(Stored("logits", [inputs.Batch, logits.Columns], Tensor.FromValues(logits.Values, logits.Shape)));
            loss = needsLoss ? texts.Loss(step, logits, inputs.TextLabels!.ToTensor(step)) : null;
        }
        else
        {
            tape.Recording = false;
            results.Add(Logits(model, step, hidden, inputs, kept));
            tape.Recording = options.Gradients;
            loss = needsLoss ? TokenLoss(model, step, hidden, Targets(model, inputs)) : null;
        }
        if (loss is not null)
        {
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

    private static void CheckLabels(LanguageModel model, ForwardInputs inputs)
    {
        if (!inputs.HasLabels)
            throw new InputException($"the loss and gradients need labels {(model is SequenceClassifier ? "[batch], or [batch, labels]" : "[batch, seq]")} beside input_ids");
        if (inputs.TextLabels is { Any: false } || (model is not SequenceClassifier && !Array.Exists(Targets(model, inputs), target => target >= 0)))
            throw new InputException(model is CausalLm ? "no label is left to predict: all are -100, in the first column or behind padding" : "no label is left to predict: all are -100");
    }

    private static int[] Targets(LanguageModel model, ForwardInputs inputs) => model is TokenClassifier ? inputs.TokenLabels() : inputs.Targets();

    private static Tensor TokenLoss(LanguageModel model, Step step, Tensor hidden, int[] targets) => model is CausalLm causal
        ? causal.Loss(step, hidden, step.Copy(targets), 1f / targets.Count(target => target >= 0))
        : TokenClassifier.Loss(step, model.Logits(step, hidden), step.Copy(targets));

    // the whole [tokens, vocabulary] lies in the result only, never a second time on the tape
    private static StoredTensor Logits(LanguageModel model, Step step, Tensor hidden, ForwardInputs inputs, int[] kept)
    {
        int outputs = model.Head.Outputs;
        Tensor logits = Tensor.Create(new Shape(inputs.Batch * inputs.Length, outputs));
        int mark = step.Tape.Mark();
        for (int first = 0; first < kept.Length; first += LogitRows)
        {
            int count = Math.Min(LogitRows, kept.Length - first);
            Tensor part = model.Logits(step, step.Tape.RowRange(hidden, first, count));
            for (int i = 0; i < count; i++)
                part.Row(i).CopyTo(logits.Row(kept[first + i]));
            step.Tape.ReleaseTo(mark);
        }
        return Stored("logits", [inputs.Batch, inputs.Length, outputs], logits);
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
