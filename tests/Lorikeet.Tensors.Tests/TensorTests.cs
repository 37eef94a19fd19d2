using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public class TensorTests
{
    [Fact]
    public void A_new_tensor_is_zero()
    {
        Tensor tensor = Tensor.Create(new Shape(3, 5));
        tensor.Values.ToArray().ShouldAllBe(value => value == 0);
        tensor.Bytes.ShouldBe(60);
        tensor.ToString().ShouldBe("F32 [3, 5]");
    }

    [Fact]
    public void Memory_must_be_as_large_as_type_and_shape_say()
    {
        NativeBuffer buffer = new(64);
        Tensor.FromBytes(buffer.Bytes, DType.F32, new Shape(4, 4)).Shape.ShouldBe(new Shape(4, 4));
        Should.Throw<ArgumentException>(() => Tensor.FromBytes(buffer.Bytes, DType.F32, new Shape(4, 5))).Message.ShouldContain("80");
        Should.Throw<ArgumentException>(() => Tensor.FromBytes(buffer.Bytes, DType.Q8_0, new Shape(4, 4)));
        Should.Throw<ArgumentException>(() => Tensor.FromValues([1, 2, 3], new Shape(2))).Message.ShouldNotBeEmpty();
        Should.Throw<ArgumentException>(() => Tensor.FromValues([1, 2, 3], new Shape(4))).Message.ShouldContain("3");
    }

    [Fact]
    public void Elements_are_read_as_what_they_are()
    {
        Tensor floats = Tensor.Create(new Shape(2, 2)), integers = Tensor.Create(new Shape(2), DType.I32);
        integers.Integers[1] = 7;
        Should.Throw<InvalidOperationException>(() => floats.Integers[0]);
        Should.Throw<InvalidOperationException>(() => integers.Values[0]);
        Should.Throw<InvalidOperationException>(() => integers.Row(0)[0]);
        Should.Throw<InvalidOperationException>(() => floats.Row(2)[0]).Message.ShouldContain("row 2");
        Should.Throw<InvalidOperationException>(() => floats.Row(-1)[0]);
        Should.Throw<ArgumentException>(() => floats.ReadRow(0, new float[1]));
        Should.Throw<ArgumentException>(() => floats.ReadRow(2, new float[2]));
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    [InlineData(DType.Q8_0)]
    public void Any_storage_is_read_as_f32_row_by_row_or_all_at_once(DType type)
    {
        float[] values = new OpInput("x", new Shape(3, 32)).Values(1);
        Tensor stored = Stored.Make(type, new Shape(3, 32), values);
        Tensor all = stored.ToF32();
        all.Type.ShouldBe(DType.F32);
        float[] row = new float[32];
        for (int i = 0; i < 3; i++)
        {
            stored.ReadRow(i, row);
            row.ShouldBe(all.Row(i).ToArray());
        }
        if (!type.IsBlocked())
            all.Values.ToArray().Zip(values).ShouldAllBe(pair => Math.Abs(pair.First - pair.Second) <= 0.004f);
    }

    [Fact]
    public void A_copy_of_some_columns_has_no_gaps()
    {
        using Tape tape = new();
        Tensor whole = Tensor.FromValues([1, 2, 3, 4, 5, 6], new Shape(2, 3));
        Tensor part = tape.Columns(whole, 1, 2);
        part.ToF32().Values.ToArray().ShouldBe([2, 3, 5, 6]);
        Should.Throw<InvalidOperationException>(() => part.Values[0]);
        Should.Throw<InvalidOperationException>(() => part.Contents.Length);
        Should.Throw<ArgumentException>(() => Tensor.Create(new Shape(2, 2)).CopyFrom(part));
    }

    [Fact]
    public void Contents_are_copied_between_equals()
    {
        Tensor from = Tensor.FromValues([1, 2, 3, 4], new Shape(2, 2)), to = Tensor.Create(new Shape(4));
        to.CopyFrom(from);
        to.Values.ToArray().ShouldBe([1, 2, 3, 4]);
        Should.Throw<ArgumentException>(() => to.CopyFrom(Tensor.Create(new Shape(3)))).Message.ShouldContain("[3]");
        Should.Throw<ArgumentException>(() => to.CopyFrom(Tensor.Create(new Shape(4), DType.I32)));
    }

    [Fact]
    public void Memory_lives_as_long_as_a_tensor_that_looks_at_it()
    {
        Tensor tensor = Made();
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        tensor.Values[2].ShouldBe(3);
        GC.KeepAlive(tensor);

        static Tensor Made()
        {
            Tensor whole = Tensor.FromValues([1, 2, 3], new Shape(3));
            return Tensor.FromBytes(whole.Contents, DType.F32, new Shape(1, 3));
        }
    }
}
