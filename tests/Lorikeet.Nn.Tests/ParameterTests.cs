using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

public class ParameterTests
{
    [Fact]
    public void A_parameter_is_frozen_until_it_is_made_trainable()
    {
        Tensor stored = Tensor.FromValues([1, 2, 3, 4], new Shape(2, 2));
        Parameter parameter = new("layer.weight", stored);
        (parameter.Trainable, parameter.Grad, parameter.Value, parameter.ToString()).ShouldBe((false, null, stored, "layer.weight F32 [2, 2]"));
        parameter.Trainable = true;
        parameter.Value.ShouldBeSameAs(stored, "memory comes with the optimiser that needs it");
        stored.Grad.ShouldBeNull("nobody has asked for it");
        parameter.Value.Values.ToArray().ShouldBe([1, 2, 3, 4]);
        parameter.Grad!.Values.ToArray().ShouldBe([0, 0, 0, 0]);
        parameter.Value.RequiresGrad.ShouldBeTrue();
        Tensor trained = parameter.Value;
        parameter.Trainable = true;
        parameter.Value.ShouldBeSameAs(trained);
        parameter.Trainable = false;
        (parameter.Trainable, parameter.Grad).ShouldBe((false, null));
    }

    [Fact]
    public void Any_storage_becomes_f32_to_be_trained()
    {
        Tensor half = Tensor.Create(new Shape(2, 2), DType.BF16);
        half.WriteRows(0, Tensor.FromValues([1, -2, 0.5f, 4], new Shape(2, 2)));
        Parameter parameter = new("weight", half) { Trainable = true };
        parameter.Value.Type.ShouldBe(DType.F32);
        parameter.Value.Values.ToArray().ShouldBe([1, -2, 0.5f, 4]);
        parameter.Value.RequiresGrad.ShouldBeTrue();
        parameter.Grad!.Values.ToArray().ShouldBe([0, 0, 0, 0]);
    }

    [Fact]
    public void An_optimiser_takes_a_parameter_over_as_it_is_stored()
    {
        Tensor half = Tensor.Create(new Shape(2, 2), DType.BF16);
        half.WriteRows(0, Tensor.FromValues([1, -2, 0.5f, 4], new Shape(2, 2)));
        Parameter parameter = new("weight", half) { Trainable = true };
        half.RequiresGrad.ShouldBeFalse("setting the flag has widened nothing");
        NativeBuffer values = new(16), gradients = new(16);
        parameter.MoveTo(values.Bytes, gradients.Bytes);
        (parameter.Trainable, parameter.Shape, parameter.Value.RequiresGrad).ShouldBe((true, new Shape(2, 2), true));
        parameter.Value.Values.ToArray().ShouldBe([1, -2, 0.5f, 4]);
        parameter.Grad.ShouldBeSameAs(parameter.Value.Grad);
        Parameter stored = new("frozen", Tensor.FromValues([1, 2, 3, 4], new Shape(2, 2)));
        Tensor before = stored.Value;
        stored.MoveTo(values.Bytes, gradients.Bytes);
        (stored.Trainable, before.RequiresGrad, before.Grad).ShouldBe((true, false, null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_takes_no_memory_when_its_values_are_elsewhere(bool moved)
    {
        string path = Path.GetTempFileName();
        try
        {
            Shape shape = new(512, 1024);
            Tensor half = Tensor.Create(shape, DType.BF16);
            using (FileStream stream = File.OpenWrite(path))
                half.Contents.CopyTo(stream);
            using MappedFile file = MappedFile.Open(path);
            Parameter parameter = new("weight", Tensor.FromBytes(file.Bytes, DType.BF16, shape));
            if (moved)
                parameter.MoveTo(Tensor.Create(shape).Contents, Tensor.Create(shape).Contents);
            else
                parameter.Trainable = true;
            parameter.Value.Type.ShouldBe(DType.F32);
            FilePages.Resident(path).ShouldBe(0);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Values_and_gradients_of_many_parameters_lie_in_one_buffer()
    {
        Parameter[] parameters = [New("a", 2, 3), New("b", 1, 4)];
        NativeBuffer values = new(40), gradients = new(40);
        long at = 0;
        foreach (Parameter parameter in parameters)
        {
            parameter.Trainable = true;
            parameter.MoveTo(values.Bytes.Slice(at, parameter.Value.Bytes), gradients.Bytes.Slice(at, parameter.Value.Bytes));
            at += parameter.Value.Bytes;
        }
        Tensor all = Tensor.FromBytes(values.Bytes, DType.F32, new Shape(10)), allGradients = Tensor.FromBytes(gradients.Bytes, DType.F32, new Shape(10));
        all.Values.ToArray().ShouldBe([0, 1, 2, 3, 4, 5, 0, 1, 2, 3]);
        using Tape tape = new() { Recording = true };
        Tensor y = tape.Linear(Tensor.FromValues([1, 1, 1], new Shape(1, 3)), parameters[0].Value);
        tape.Backward(tape.MatMul(y, Tensor.FromValues([2, 3], new Shape(1, 2))));
        allGradients.Values.ToArray().ShouldBe([2, 2, 2, 3, 3, 3, 0, 0, 0, 0]);
        all.Values[0] = 9;
        parameters[0].Value.Values[0].ShouldBe(9);
        Should.Throw<ArgumentException>(() => parameters[0].MoveTo(values.Bytes.Slice(0, 20), gradients.Bytes.Slice(0, 24)));
    }

    [Fact]
    public void Values_are_replaced_by_others_of_the_same_shape()
    {
        Parameter parameter = New("a", 2, 2);
        Tensor merged = Tensor.FromValues([5, 6, 7, 8], new Shape(2, 2));
        parameter.Replace(merged);
        parameter.Value.ShouldBeSameAs(merged);
        parameter.Trainable.ShouldBeFalse();
        Should.Throw<ArgumentException>(() => parameter.Replace(Tensor.Create(new Shape(4)))).Message.ShouldContain("a is F32 [2, 2]");

        parameter.Trainable = true;
        parameter.Replace(Tensor.FromValues([7, 7, 7, 7], new Shape(2, 2)));
        parameter.Value.RequiresGrad.ShouldBeTrue();
        merged.Values.ToArray().ShouldBe([5, 6, 7, 8], "this memory may be a file's");

        NativeBuffer values = new(16), gradients = new(16);
        parameter.MoveTo(values.Bytes, gradients.Bytes);
        Tensor own = parameter.Value;
        parameter.Replace(Tensor.FromValues([1, 1, 1, 1], new Shape(2, 2)));
        parameter.Value.ShouldBeSameAs(own, "an optimiser knows this memory");
        own.Values.ToArray().ShouldBe([1, 1, 1, 1]);
    }

    private static Parameter New(string name, int rows, int columns) =>
        new(name, Tensor.FromValues([.. Enumerable.Range(0, rows * columns).Select(i => (float)i)], new Shape(rows, columns)));
}
