using System.Buffers.Binary;
using System.Text.Json;

namespace Lorikeet.Training.Tests;

/// <summary>The reference's prepared batches and the rows that they were made from.</summary>
internal sealed class GoldenBatches
{
    private static readonly JsonElement Rows = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("sft", "rows.json"))).RootElement;
    private static readonly JsonElement Index = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("sft", "index.json"))).RootElement;

    private readonly JsonElement _steps;
    private readonly byte[] _bytes;
    private readonly JsonElement _tensors;
    private readonly int _data;

    public GoldenBatches(string run)
    {
        _steps = Index.GetProperty("runs").GetProperty(run).GetProperty("steps");
        _bytes = File.ReadAllBytes(GoldenData.Path("sft", $"{run}-batches.safetensors"));
        int header = checked((int)BinaryPrimitives.ReadInt64LittleEndian(_bytes));
        _tensors = JsonDocument.Parse(_bytes.AsMemory(8, header)).RootElement;
        _data = 8 + header;
    }

    public static IReadOnlyList<(int[] Prompt, int[] Completion)> Train { get; } =
        [.. Rows.GetProperty("train").EnumerateArray().Select(row => (Ids(row, "prompt_ids"), Ids(row, "completion_ids")))];

    public static IReadOnlyList<int> TrainLines { get; } = [.. Rows.GetProperty("train").EnumerateArray().Select(row => row.GetProperty("line").GetInt32())];

    public int Steps => _steps.GetArrayLength();

    public int TargetsOf(int step) => _steps[step].GetProperty("num_items_in_batch").GetInt32();

    /// <summary>Indices of the rows of each micro-batch, where the reference kept them.</summary>
    public int[][]? RowsOf(int step) => _steps[step].TryGetProperty("rows", out JsonElement rows)
        ? [.. rows.EnumerateArray().Select(micro => micro.EnumerateArray().Select(row => row.GetInt32()).ToArray())]
        : null;

    public bool Has(int step, int micro) => _tensors.TryGetProperty($"step{step}.micro{micro}.input_ids", out _);

    /// <summary>A tensor <c>[batch, seq]</c> of a micro-batch, row by row.</summary>
    public int[][] Tensor(int step, int micro, string name)
    {
        JsonElement tensor = _tensors.GetProperty($"step{step}.micro{micro}.{name}");
        tensor.GetProperty("dtype").GetString().ShouldBe("I64");
        int[] shape = [.. tensor.GetProperty("shape").EnumerateArray().Select(n => n.GetInt32())];
        int offset = _data + tensor.GetProperty("data_offsets")[0].GetInt32();
        int columns = shape[^1];
        return [.. Enumerable.Range(0, shape.Length == 1 ? 1 : shape[0]).Select(row => Enumerable.Range(0, columns)
            .Select(column => (int)BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(offset + (row * columns + column) * 8))).ToArray())];
    }

    /// <summary>The rows of a padded micro-batch without their padding.</summary>
    public TrainingExample[] Examples(int step, int micro)
    {
        int[][] ids = Tensor(step, micro, "input_ids"), labels = Tensor(step, micro, "labels"), mask = Tensor(step, micro, "attention_mask");
        return [.. ids.Select((row, i) => new TrainingExample(row[..mask[i].Sum()], labels[i][..mask[i].Sum()]))];
    }

    private static int[] Ids(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
