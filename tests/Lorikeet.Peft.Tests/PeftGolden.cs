using System.Runtime.InteropServices;
using Lorikeet.Formats;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft.Tests;

/// <summary>One base model of the goldens, its inputs, and what runs of it come to.</summary>
internal sealed class PeftGolden : IDisposable
{
    private readonly ITensorSource _outputs, _inputs;
    private readonly int[] _mask;

    public PeftGolden(string baseFolder, string outputs, string? inputs = null)
    {
        Model = ModelLoader.LoadAny(baseFolder);
        _outputs = TensorFiles.Open(outputs);
        _inputs = inputs is null ? _outputs : TensorFiles.Open(inputs);
        _mask = Ids("attention_mask");
    }

    /// <summary>A base model and its inputs.</summary>
    public static PeftGolden OfBase(string name) => new(GoldenData.Path("peft", "bases", name), GoldenData.Path("peft", "bases", name, "io.safetensors"));

    public LanguageModel Model { get; }

    public Step Step { get; } = new(new Tape());

    /// <summary>Rows of the padded batch that count.</summary>
    public int[] Rows => [.. Enumerable.Range(0, _mask.Length).Where(i => _mask[i] == 1)];

    public Tensor? Find(string name)
    {
        StoredTensor? stored = _outputs.Find(name);
        return stored is null ? null : Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape));
    }

    public Tensor Read(string name) => Find(name).ShouldNotBeNull(name);

    public IEnumerable<string> Names => _outputs.Names;

    /// <summary>Logits of the rows that count, or of the texts where the model labels those.</summary>
    public Tensor Logits()
    {
        Begin();
        Tensor hidden = Model.Hidden(Step);
        return Model.Logits(Step, Model is SequenceClassifier texts ? Step.Tape.SelectRows(hidden, Step.Copy(texts.PooledRows(Step.Batch))) : hidden);
    }

    /// <summary>The loss of the golden's labels, with gradients.</summary>
    public float Loss() => Loss(Ids("labels"));

    /// <summary>The loss of every next token, with gradients.</summary>
    public float LossOfNextTokens() => Loss(Ids("input_ids"));

    private float Loss(int[] labels)
    {
        Step.Tape.Recording = true;
        Tensor loss = Model is SequenceClassifier texts ? texts.Loss(Step, Logits(), Step.Copy(labels)) : LossOfTokens((CausalLm)Model, labels);
        Step.Tape.Backward(loss);
        Step.Tape.Recording = false;
        return loss.Values[0];
    }

    private Tensor LossOfTokens(CausalLm model, int[] labels)
    {
        int length = Length;
        int[] targets = [.. Rows.Select(i => i % length + 1 < length && _mask[i + 1] == 1 ? labels[i + 1] : -100)];
        Begin();
        return model.Loss(Step, model.Hidden(Step), Step.Copy(targets), 1f / targets.Count(target => target >= 0));
    }

    /// <summary>
    /// Gradients of the sum of all logits of the padded batch, each with the golden's weight. Places that the mask leaves out are in the golden's sum: they see
    /// the text before them, and nothing sees them.
    /// </summary>
    public void BackwardWeightedSum(string golden)
    {
        Tensor theirs = Read(golden);
        int[] ids = Ids("input_ids");
        int length = Length, vocabulary = theirs.Columns;
        RaggedBatch batch = new();
        List<int> origins = [];
        for (int row = 0; row < ids.Length / length; row++)
        {
            int[] places = [.. Enumerable.Range(0, length)], text = [.. places.Where(i => _mask[row * length + i] == 1)];
            batch.Add([.. text.Select(i => ids[row * length + i])], text);
            origins.AddRange(text.Select(i => row * length + i));
            foreach (int place in places.Except(text))
            {
                int[] before = [.. text.TakeWhile(i => i < place), place];
                batch.Add([.. before.Select(i => ids[row * length + i])], before, unseenEnd: true);
                origins.AddRange([.. before.Select(i => i == place ? row * length + place : -1)]);
            }
        }
        Tensor weights = Tensor.Create(new Shape(origins.Count, vocabulary)), rows = Tensor.Create(new Shape(1, origins.Count)), columns = Tensor.Create(new Shape(1, vocabulary));
        for (int i = 0; i < origins.Count; i++)
        {
            if (origins[i] >= 0)
                theirs.Row(origins[i]).CopyTo(weights.Row(i));
        }
        rows.Fill(1);
        columns.Fill(1);
        Step.Begin(batch);
        Step.Tape.Recording = true;
        Tensor weighted = Step.Tape.Multiply(Model.Logits(Step, Model.Hidden(Step)), weights);
        Tensor sum = Step.Tape.MatMul(Step.Tape.MatMul(rows, weighted, transposeB: true), columns);
        Step.Tape.Backward(sum);
        Step.Tape.Recording = false;
    }

    /// <summary>The largest difference to a golden <c>[batch, seq, vocab]</c>, or <c>[batch, labels]</c>.</summary>
    public float Difference(Tensor logits, string golden)
    {
        Tensor expected = Read(golden);
        int[] rows = Model is SequenceClassifier ? [.. Enumerable.Range(0, expected.Rows)] : Rows;
        logits.Rows.ShouldBe(rows.Length);
        float worst = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            Span<float> a = logits.Row(i), b = expected.Row(rows[i]);
            for (int j = 0; j < a.Length; j++)
                worst = float.IsFinite(a[j]) ? Math.Max(worst, Math.Abs(a[j] - b[j])) : float.PositiveInfinity;
        }
        return worst;
    }

    public void Dispose()
    {
        Step.Tape.Dispose();
        Model.Dispose();
        _inputs.Dispose();
        _outputs.Dispose();
    }

    private int Length => (int)_inputs.Find("input_ids")!.Shape[1];

    private int[] Ids(string name) => [.. MemoryMarshal.Cast<byte, long>(_inputs.Find(name)!.Bytes.Span).ToArray().Select(id => (int)id)];

    private void Begin()
    {
        int[] ids = Ids("input_ids");
        int length = Length;
        RaggedBatch batch = new();
        for (int row = 0; row < ids.Length / length; row++)
        {
            int[] kept = [.. Enumerable.Range(0, length).Where(i => _mask[row * length + i] == 1)];
            batch.Add([.. kept.Select(i => ids[row * length + i])], kept);
        }
        Step.Begin(batch);
    }
}
