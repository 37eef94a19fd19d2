using System.Runtime.InteropServices;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>
/// A padded batch as other programs hold it: <c>input_ids</c>, <c>attention_mask</c> and <c>labels</c>, each <c>[batch, seq]</c>. Positions count the
/// columns, padding included, as a plain forward pass of transformers does.
/// </summary>
public sealed class ForwardInputs
{
    private readonly int[] _ids;
    private readonly bool[] _kept;
    private readonly int[]? _labels;

    private ForwardInputs(int batch, int length, int[] ids, bool[] kept, int[]? labels)
    {
        (Batch, Length) = (batch, length);
        (_ids, _kept, _labels) = (ids, kept, labels);
    }

    /// <summary>Rows.</summary>
    public int Batch { get; }

    /// <summary>Columns, padding included.</summary>
    public int Length { get; }

    /// <summary>True where there are labels, so that there is a loss.</summary>
    public bool HasLabels => _labels is not null;

    /// <summary>Where the kept tokens lie in <c>[batch · seq]</c>, in order.</summary>
    public int[] Kept => [.. Enumerable.Range(0, _kept.Length).Where(i => _kept[i])];

    /// <summary>Reads the three tensors; others in the same file are not looked at.</summary>
    /// <param name="source">The file.</param>
    /// <param name="vocabulary">Token ids must lie below it.</param>
    /// <exception cref="InputException">They are missing or do not fit together; every problem is listed.</exception>
    public static ForwardInputs Read(ITensorSource source, int vocabulary)
    {
        ArgumentNullException.ThrowIfNull(source);
        List<string> problems = [];
        StoredTensor? ids = source.Find("input_ids");
        if (ids is null)
            problems.Add($"input_ids [batch, seq] is missing; the file holds {(source.Names.Count == 0 ? "nothing" : string.Join(", ", source.Names.Take(12)))}");
        else if (ids.Shape.Count != 2 || ids.Elements is 0 or > int.MaxValue)
            problems.Add($"input_ids is {ids.ShapeText}, [batch, seq] was expected");
        long[] shape = problems.Count == 0 ? [.. ids!.Shape] : [];
        long[]? idValues = Integers(ids, shape, problems), mask = Integers(source.Find("attention_mask"), shape, problems), labels = Integers(source.Find("labels"), shape, problems);
        for (int i = 0; idValues is not null && i < idValues.Length; i++)
        {
            if (mask is not null && mask[i] is not (0 or 1))
                problems.Add($"attention_mask holds {mask[i]} at {Place(i)}; 0 and 1 were expected");
            else if ((mask is null || mask[i] == 1) && (ulong)idValues[i] >= (ulong)vocabulary)
                problems.Add($"input_ids holds {idValues[i]} at {Place(i)}; the model has {vocabulary} tokens");
            if (labels is not null && labels[i] != -100 && (ulong)labels[i] >= (ulong)vocabulary)
                problems.Add($"labels holds {labels[i]} at {Place(i)}; a token below {vocabulary} was expected, or -100 for none");
            if (problems.Count >= 20)
                break;
        }
        if (problems.Count > 0)
            throw new InputException($"{source.Description}: the inputs cannot be used", problems);
        return new ForwardInputs((int)shape[0], (int)shape[1], [.. idValues!.Select(id => (int)id)],
            mask is null ? [.. Enumerable.Repeat(true, idValues!.Length)] : [.. mask.Select(value => value == 1)], labels is null ? null : [.. labels.Select(id => (int)id)]);

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
                batch.Add([.. positions.Select(i => _ids[row * Length + i])], positions);
        }
        return batch;
    }

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
