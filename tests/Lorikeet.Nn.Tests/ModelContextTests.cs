using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

public class ModelContextTests
{
    [Fact]
    public void Modules_and_parameters_stand_in_the_order_of_construction()
    {
        ModelContext context = new(new ListedTensors().Add("head.weight", 5, 4).Add("norm.weight", 4).Add("embed.weight", 5, 4).Add("extra", 1));
        Weights root = new(context);
        Embedding embedding = new(root / "embed", 5, 4);
        RmsNorm norm = new(root / "norm", 4, 1e-5f);
        Linear head = new(root / "head", 4, 5, bias: false), tied = new(root / "tied", embedding.Weight, 4, 5);
        context.ThrowIfBroken();
        context.Modules.ShouldBe([embedding, norm, head, tied]);
        context.Parameters.Select(parameter => parameter.Name).ShouldBe(["embed.weight", "norm.weight", "head.weight"]);
        context.Unused.ShouldBe(["extra"]);
        tied.Weight.ShouldBeSameAs(embedding.Weight);
    }

    [Fact]
    public void Every_problem_is_reported_at_once()
    {
        ListedTensors source = new ListedTensors().Add("a.weight", 4, 4).Add("a.bias", 5).Add("c.weight", DType.I32, 4, 4).Add("d.weight", 4, 4);
        ModelContext context = new(source);
        Weights root = new(context);
        _ = new Linear(root / "a", 4, 6, bias: true);
        _ = new Linear(root / "b", 4, 6, bias: true);
        _ = new Linear(root / "c", 4, 4, bias: false);
        _ = new Linear(root / "d", 4, 4, bias: false);
        _ = new Embedding(root / "d", 16, 1);
        InputException exception = Should.Throw<InputException>(context.ThrowIfBroken);
        exception.Problems.ShouldBe([
            "tensor a.weight is [4, 4], the configuration asks for [6, 4]",
            "tensor a.bias is [5], the configuration asks for [6]",
            "tensor b.weight [6, 4] is missing",
            "tensor b.bias [6] is missing",
            "tensor c.weight holds I32: a weight must hold floating-point numbers or a known block format",
            "tensor d.weight serves twice, as [4, 4] and as [16, 1]",
        ]);
        exception.Message.ShouldStartWith("listed.safetensors: the weights do not fit the configuration\n  - tensor a.weight");
    }

    [Fact]
    public void A_missing_tensor_that_serves_twice_is_reported_once()
    {
        ModelContext context = new(new ListedTensors());
        _ = new Linear(new Weights(context) / "a", 4, 6, bias: false);
        _ = new Embedding(new Weights(context) / "a", 6, 4);
        Should.Throw<InputException>(context.ThrowIfBroken).Problems.Count.ShouldBe(1);
    }

    [Fact]
    public void A_configuration_that_asks_for_more_than_there_is_takes_no_memory()
    {
        ModelContext context = new(new ListedTensors().Add("a.weight", 1, 1));
        _ = new Linear(new Weights(context) / "a", 1 << 20, 1 << 20, bias: false);
        Should.Throw<InputException>(context.ThrowIfBroken);
    }

    [Fact]
    public void Matrices_keep_their_storage_and_vectors_become_f32()
    {
        ModelContext context = new(new ListedTensors().Add("a.weight", DType.BF16, 4, 4).Add("a.bias", DType.BF16, 4));
        Linear linear = new(new Weights(context) / "a", 4, 4, bias: true);
        (linear.Weight.Value.Type, linear.Bias!.Value.Type).ShouldBe((DType.BF16, DType.F32));
        linear.Bias.Value.Values.ToArray().ShouldBe([1, 1, 1, 1]);
    }

    [Fact]
    public void Names_are_joined_by_dots()
    {
        ModelContext context = new(new ListedTensors().Add("model.layers.3.mlp.weight", 2, 2));
        Weights mlp = new Weights(context) / "model" / "layers" / 3 / "mlp";
        mlp.Path.ShouldBe("model.layers.3.mlp");
        (mlp.Has("weight"), mlp.Has("bias"), new Weights(context).Has("model.layers.3.mlp.weight")).ShouldBe((true, false, true));
        new Linear(mlp, 2, 2, bias: false).ToString().ShouldBe("Linear model.layers.3.mlp");
    }
}
