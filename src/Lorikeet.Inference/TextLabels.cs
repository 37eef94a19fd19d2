using System.Runtime.InteropServices;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>The labels of a batch of texts, as a <see cref="SequenceClassifier"/> wants them: a class each, or a number for each label.</summary>
internal sealed class TextLabels
{
    private readonly int[]? _classes;
    private readonly float[]? _numbers;
    private readonly int _labels;

    private TextLabels(int[]? classes, float[]? numbers, int labels) => (_classes, _numbers, _labels) = (classes, numbers, labels);

    /// <summary>True where at least one text has a label.</summary>
    public bool Any => _classes is null || Array.Exists(_classes, label => label >= 0);

    /// <summary>Reads them, or adds to <paramref name="problems"/>.</summary>
    public static TextLabels? Read(StoredTensor stored, int batch, SequenceClassifier model, List<string> problems)
    {
        int labels = model.Head.Outputs;
        bool whole = stored.Type is DType.I64 or DType.I32;
        if (model.ProblemOf(whole) == ProblemType.SingleLabel)
        {
            if (!whole || stored.Elements != batch)
            {
                problems.Add($"labels is {stored.ShapeText} {stored.Type}; [{batch}] was expected, for each text the number of its class (I64 or I32). Where several labels hold at once, store [{batch}, {labels}] as F32 and say problem_type multi_label_classification in config.json");
                return null;
            }
            long[] classes = Integers(stored);
            for (int text = 0; text < batch; text++)
            {
                if (classes[text] != -100 && (ulong)classes[text] >= (ulong)labels)
                    problems.Add($"labels holds {classes[text]} at [{text}]; a label below {labels} was expected, or -100 for none");
            }
            return new TextLabels([.. classes.Select(label => (int)label)], null, labels);
        }
        if (stored.Elements != (long)batch * labels || stored.Shape.Count > 2 || (stored.Shape.Count == 2 && stored.Shape[0] != batch) || (labels > 1 && stored.Shape.Count != 2))
        {
            problems.Add($"labels is {stored.ShapeText}; {(labels == 1 ? $"[{batch}]" : $"[{batch}, {labels}]")} was expected, a number for each label of each text");
            return null;
        }
        float[]? numbers = stored.Type switch
        {
            DType.F32 or DType.F64 or DType.F16 or DType.BF16 => Tensor.FromBytes(stored.Bytes, stored.Type, new Shape(batch, labels)).ToSingles(),
            DType.I64 or DType.I32 => [.. Integers(stored).Select(value => (float)value)],
            DType.U8 or DType.Bool => [.. stored.Bytes.Span.ToArray().Select(value => (float)value)],
            _ => null,
        };
        if (numbers is null)
            problems.Add($"labels holds {stored.Type}; F32, F64, F16, BF16, I64, I32, U8 or BOOL was expected");
        else if (Array.FindIndex(numbers, value => !float.IsFinite(value)) is >= 0 and int at)
            problems.Add($"labels holds {numbers[at]} at [{at / labels}, {at % labels}]; a finite number was expected");
        return new TextLabels(null, numbers, labels);
    }

    /// <summary><c>[texts]</c> i32 or <c>[texts, labels]</c> f32.</summary>
    public Tensor ToTensor(Step step)
    {
        if (_classes is not null)
            return step.Copy(_classes);
        Tensor tensor = step.Tape.New(new Shape(_numbers!.Length / _labels, _labels));
        _numbers.CopyTo(tensor.Values);
        return tensor;
    }

    private static long[] Integers(StoredTensor stored) => stored.Type == DType.I64
        ? MemoryMarshal.Cast<byte, long>(stored.Bytes.Span).ToArray()
        : [.. MemoryMarshal.Cast<byte, int>(stored.Bytes.Span).ToArray().Select(value => (long)value)];
}
