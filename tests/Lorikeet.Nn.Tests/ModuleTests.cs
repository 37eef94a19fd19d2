using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

/// <summary>What the layers compute without adapters.</summary>
public sealed class ModuleTests : IDisposable
{
    private readonly Tape _tape = new();
    private readonly Step _step;
    private readonly Tensor _x = Tensor.FromValues([1, -2, 3, 4, 0, -1], new Shape(2, 3));

    public ModuleTests()
    {
        _step = new Step(_tape);
        _step.Begin(new RaggedBatch());
    }

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void A_linear_layer_multiplies_by_rows_or_by_columns_of_its_weight()
    {
        ListedTensors source = new ListedTensors().Add("rows.weight", 2, 3).Add("rows.bias", 2).Add("columns.weight", 3, 2);
        Weights root = new(new ModelContext(source));
        Linear rows = new(root / "rows", 3, 2, bias: true), columns = new(root / "columns", 3, 2, bias: false, transposed: true);
        // weights are 0, 1/6 … 5/6; the bias 0, 1/2
        ShouldBeNear(rows.Forward(_x, _step), [(0 - 2 + 6) / 6f, (3 - 8 + 15) / 6f + 0.5f, (0 + 0 - 2) / 6f, (12 + 0 - 5) / 6f + 0.5f]);
        ShouldBeNear(columns.Forward(_x, _step), [(0 - 4 + 12) / 6f, (1 - 6 + 15) / 6f, (0 + 0 - 4) / 6f, (4 + 0 - 5) / 6f]);
        (rows.Inputs, rows.Outputs, rows.Transposed, columns.Transposed).ShouldBe((3, 2, false, true));
    }

    [Fact]
    public void Norms_scale_rows()
    {
        ListedTensors source = new ListedTensors().Add("norm.weight", 3).Add("norm.bias", 3);
        Weights norm = new Weights(new ModelContext(source)) / "norm";
        Tensor rms = new RmsNorm(norm, 3, 0).Forward(_x, _step);
        double root = Math.Sqrt(14 / 3.0);
        ShouldBeNear(_tape.RowRange(rms, 0, 1), [0, (float)(-2 / root / 3), (float)(3 / root * 2 / 3)]);
        LayerNorm layer = new(norm, 3, 0);
        // the second row has mean 1, and the same deviation as the first has root mean square
        ShouldBeNear(_tape.RowRange(layer.Forward(_x, _step), 1, 1), [0, (float)(-1 / root / 3 + 1 / 3.0), (float)(-2 / root * 2 / 3 + 2 / 3.0)]);
    }

    [Fact]
    public void An_embedding_gives_the_rows_of_its_table()
    {
        Embedding embedding = new(new Weights(new ModelContext(new ListedTensors().Add("embed.weight", 4, 2))) / "embed", 4, 2);
        ShouldBeNear(embedding.Forward(_step.Copy([3, 0]), _step), [6 / 8f, 7 / 8f, 0, 1 / 8f]);
    }

    [Fact]
    public void A_sublayer_ends_in_the_residual_stream()
    {
        Sublayer end = new(new Weights(new ModelContext(new ListedTensors())) / "mlp", 2, SublayerKind.FeedForward, 3);
        Tensor output = _tape.Scale(_x, 2);
        ShouldBeNear(end.Forward(new SublayerInput(output, _x), _step), [3, -6, 9, 12, 0, -3]);
        (end.Layer, end.Kind, end.Hidden).ShouldBe((2, SublayerKind.FeedForward, 3));
    }

    private static void ShouldBeNear(Tensor tensor, float[] expected)
    {
        tensor.Values.Length.ShouldBe(expected.Length);
        for (int i = 0; i < expected.Length; i++)
            tensor.Values[i].ShouldBe(expected[i], 1e-6f);
    }
}
