using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Training.Tests;

/// <summary>The reference's prepared batches and the rows that they were made from.</summary>
internal sealed class GoldenBatches : IDisposable
{
    private static readonly JsonElement Rows = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("sft", "rows.json"))).RootElement;
    private static readonly JsonElement Index = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("sft", "index.json"))).RootElement;

    private readonly JsonElement _steps;
    private readonly SafetensorsFile _tensors;

    public GoldenBatches(string run)
    {
        _steps = Index.GetProperty("runs").GetProperty(run).GetProperty("steps");
        _tensors = SafetensorsFile.Open(GoldenData.Path("sft", $"{run}-batches.safetensors"));
    }

    public void Dispose() => _tensors.Dispose();

    public static IReadOnlyList<(int[] Prompt, int[] Completion)> Train { get; } =
        [.. Rows.GetProperty("train").EnumerateArray().Select(row => (Ids(row, "prompt_ids"), Ids(row, "completion_ids")))];

    public static IReadOnlyList<int> TrainLines { get; } = [.. Rows.GetProperty("train").EnumerateArray().Select(row => row.GetProperty("line").GetInt32())];

    public int Steps => _steps.GetArrayLength();

    public int TargetsOf(int step) => _steps[step].GetProperty("num_items_in_batch").GetInt32();

    /// <summary>Indices of the rows of each micro-batch, where the reference kept them.</summary>
    public int[][]? RowsOf(int step) => _steps[step].TryGetProperty("rows", out JsonElement rows)
        ? [.. rows.EnumerateArray().Select(micro => micro.EnumerateArray().Select(row => row.GetInt32()).ToArray())]
        : null;

    /// <summary>A tensor <c>[batch, seq]</c> of a micro-batch, row by row.</summary>
    public int[][] Tensor(int step, int micro, string name)
    {
        StoredTensor tensor = _tensors.Find($"step{step}.micro{micro}.{name}").ShouldNotBeNull();
        tensor.Type.ShouldBe(DType.I64);
        int[] values = [.. MemoryMarshal.Cast<byte, long>(tensor.Bytes.Span).ToArray().Select(value => (int)value)];
        return [.. values.Chunk((int)tensor.Shape[^1])];
    }

    /// <summary>The rows of a padded micro-batch without their padding.</summary>
    public TrainingExample[] Examples(int step, int micro)
    {
        int[][] ids = Tensor(step, micro, "input_ids"), labels = Tensor(step, micro, "labels"), mask = Tensor(step, micro, "attention_mask");
        return [.. ids.Select((row, i) => new TrainingExample(row[..mask[i].Sum()], labels[i][..mask[i].Sum()]))];
    }

    private static int[] Ids(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
