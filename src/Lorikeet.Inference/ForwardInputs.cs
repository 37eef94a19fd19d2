using System.Runtime.InteropServices;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>
/// A padded batch as other programs hold it: <c>input_ids</c> and <c>attention_mask</c> <c>[batch, seq]</c>, and <c>labels</c>: as long for models that say
/// something of each token, <c>[batch]</c> or <c>[batch, labels]</c> for classifiers of texts. Positions count the columns, padding included, as a plain
/// forward pass of transformers does.
/// </summary>
public sealed class ForwardInputs
{
    private readonly int[] _ids;
    private readonly bool[] _kept;
    private readonly int[]? _labels;

    private ForwardInputs(int batch, int length, int[] ids, bool[] kept, int[]? labels, TextLabels? texts)
    {
        (Batch, Length) = (batch, length);
        (_ids, _kept, _labels, TextLabels) = (ids, kept, labels, texts);
    }

    /// <summary>Rows.</summary>
    public int Batch { get; }

    /// <summary>Columns, padding included.</summary>
    public int Length { get; }

    /// <summary>True where there are labels, so that there is a loss.</summary>
    public bool HasLabels => _labels is not null || TextLabels is not null;

    /// <summary>The labels of whole texts, or null.</summary>
    internal TextLabels? TextLabels { get; }

    /// <summary>Where the kept tokens lie in <c>[batch · seq]</c>, in order.</summary>
    public int[] Kept => [.. Enumerable.Range(0, _kept.Length).Where(i => _kept[i])];

    /// <summary>Reads the three tensors; others in the same file are not looked at.</summary>
    /// <param name="source">The file.</param>
    /// <param name="model">Its vocabulary and its head say what may stand there.</param>
    /// <exception cref="InputException">They are missing or do not fit together; every problem is listed.</exception>
    public static ForwardInputs Read(ITensorSource source, LanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(model);
        int vocabulary = model.Facts.Vocabulary;
        bool ofTexts = model is SequenceClassifier;
        (int limit, string what) = model is TokenClassifier ? (model.Head.Outputs, "label") : (vocabulary, "token");
        List<string> problems = [];
        StoredTensor? ids = source.Find("input_ids");
        if (ids is null)
            problems.Add($"input_ids [batch, seq] is missing; the file holds {(source.Names.Count == 0 ? "nothing" : string.Join(", ", source.Names.Take(12)))}");
        else if (ids.Shape.Count != 2 || ids.Elements is 0 or > int.MaxValue)
            problems.Add($"input_ids is {ids.ShapeText}, [batch, seq] was expected");
        long[] shape = problems.Count == 0 ? [.. ids!.Shape] : [];
        long[]? idValues = Integers(ids, shape, problems), mask = Integers(source.Find("attention_mask"), shape, problems), labels = Integers(ofTexts ? null : source.Find("labels"), shape, problems);
        for (int i = 0; idValues is not null && i < idValues.Length; i++)
        {
            if (mask is not null && mask[i] is not (0 or 1))
                problems.Add($"attention_mask holds {mask[i]} at {Place(i)}; 0 and 1 were expected");
            else if ((mask is null || mask[i] == 1) && (ulong)idValues[i] >= (ulong)vocabulary)
                problems.Add($"input_ids holds {idValues[i]} at {Place(i)}; the model has {vocabulary} tokens");
            if (labels is not null && labels[i] != -100 && (ulong)labels[i] >= (ulong)limit)
                problems.Add($"labels holds {labels[i]} at {Place(i)}; a {what} below {limit} was expected, or -100 for none");
            else if (model is TokenClassifier && labels is not null && labels[i] != -100 && mask is not null && mask[i] == 0)
                problems.Add($"labels holds {labels[i]} at {Place(i)}, which attention_mask leaves out; -100 was expected there");
            if (problems.Count >= 20)
                break;
        }
        TextLabels? texts = model is SequenceClassifier classifier && shape.Length == 2 && source.Find("labels") is { } stored
            ? TextLabels.Read(stored, (int)shape[0], classifier, problems) : null;
        if (problems.Count > 0)
            throw new InputException($"{source.Description}: the inputs cannot be used", problems);
        return new ForwardInputs((int)shape[0], (int)shape[1], [.. idValues!.Select(id => (int)id)],
            mask is null ? [.. Enumerable.Repeat(true, idValues!.Length)] : [.. mask.Select(value => value == 1)], labels is null ? null : [.. labels.Select(id => (int)id)], texts);

        string Place(int i) => $"[{i / shape[1]}, {i % shape[1]}]";
    }

    /// <summary>The kept tokens as a batch without padding.</summary>
    public RaggedBatch ToBatch()
    {
        RaggedBatch batch = new();
        for (int row = 0; row < Batch; row++)
        {
            int[] positions = [.. Enumerable.Range(0, Length).Where(i => _kept[row * Length + i])];
            if (positions.Length > 0)
                batch.Add([.. positions.Select(i => _ids[row * Length + i])], positions, group: row);
        }
        return batch;
    }

    /// <summary>
    /// The rows of a batch at which a classifier's numbers are read, one for each text. Where that is a place that the mask leaves out, the text's tokens
    /// before it are added once more, and behind them that place as a row that none of them sees: what the reference computes there.
    /// </summary>
    /// <param name="model">Says where.</param>
    /// <param name="batch">What <see cref="ToBatch"/> returned.</param>
    /// <exception cref="InputException">The model knows no padding and there are several texts, or nothing can be seen from such a place.</exception>
    public int[] PooledRows(SequenceClassifier model, RaggedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batch);
        if (model.Config.PadToken is null && Batch > 1)
            throw new InputException($"the model's config.json names no pad_token_id, so that of {Batch} texts none can say where it ends: name one there, or give one text at a time");
        int window = model.Modules.OfType<AttentionCore>().Select(core => core.Window).Where(width => width > 0).DefaultIfEmpty(int.MaxValue).Min();
        List<string> problems = [];
        int[] rows = new int[Batch];
        for (int text = 0, before = 0; text < Batch; text++)
        {
            ReadOnlySpan<int> ids = _ids.AsSpan(text * Length, Length);
            int at = model.PooledPosition(ids);
            int[] seen = [.. Enumerable.Range(0, at).Where(i => _kept[text * Length + i])];
            if (_kept[text * Length + at])
                rows[text] = before + seen.Length;
            else if (seen.Length == 0 || at - seen[^1] >= window)
                problems.Add($"input_ids: the numbers of text {text} are read at [{text}, {at}], the last id that is not pad_token_id; attention_mask leaves it and all that it could see out");
            else if ((ulong)ids[at] >= (ulong)model.Facts.Vocabulary)
                problems.Add($"input_ids holds {ids[at]} at [{text}, {at}]; the model has {model.Facts.Vocabulary} tokens");
            else
            {
                batch.Add([.. seen.Select(i => _ids[text * Length + i]), ids[at]], [.. seen, at], group: text, unseenEnd: true);
                rows[text] = batch.Rows - 1;
            }
            before += Enumerable.Range(0, Length).Count(i => _kept[text * Length + i]);
        }
        return problems.Count == 0 ? rows : throw new InputException("the inputs cannot be used", problems);
    }

    /// <summary>The label of each kept token itself, or -100.</summary>
    public int[] TokenLabels() => [.. Kept.Select(i => _labels![i])];

    /// <summary>What each kept token shall predict: the label one column on, or -100. Labels behind padding have nothing that could predict them.</summary>
    public int[] Targets() => [.. Kept.Select(i => (i + 1) % Length == 0 ? -100 : _labels![i + 1])];

    private static long[]? Integers(StoredTensor? tensor, long[] shape, List<string> problems)
    {
        if (tensor is null || problems.Count > 0 && shape.Length == 0)
            return null;
        if (!tensor.Shape.SequenceEqual(shape))
        {
            problems.Add($"{tensor.Name} is {tensor.ShapeText}, input_ids is [{string.Join(", ", shape)}]: both must be alike");
            return null;
        }
        ReadOnlySpan<byte> bytes = tensor.Bytes.Span;
        switch (tensor.Type)
        {
            case DType.I64:
                return MemoryMarshal.Cast<byte, long>(bytes).ToArray();
            case DType.I32:
                return [.. MemoryMarshal.Cast<byte, int>(bytes).ToArray().Select(value => (long)value)];
            case DType.U8 or DType.Bool:
                return [.. bytes.ToArray().Select(value => (long)value)];
            default:
                problems.Add($"{tensor.Name} holds {tensor.Type}; whole numbers were expected (I64, I32, U8 or BOOL)");
                return null;
        }
    }
}
