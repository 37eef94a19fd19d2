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
        part.ToSingles().ShouldBe([2, 3, 5, 6]);
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
    public void Rows_are_written_in_the_storage_of_the_tensor()
    {
        Tensor half = Tensor.Create(new Shape(3, 2), DType.BF16), rows = Tensor.FromValues([1, 2.001f, -3, 4], new Shape(2, 2));
        half.WriteRows(1, rows);
        half.ToSingles().ShouldBe([0, 0, 1, 2, -3, 4]);
        Should.Throw<ArgumentException>(() => half.WriteRows(2, rows)).Message.ShouldContain("row 2");
        Should.Throw<ArgumentException>(() => half.WriteRows(-1, rows));
        Should.Throw<ArgumentException>(() => half.WriteRows(0, Tensor.Create(new Shape(1, 3))));
        Should.Throw<ArgumentException>(() => half.WriteRows(0, half));
    }

    [Fact]
    public void A_part_shares_the_memory_of_the_whole()
    {
        Tensor whole = Tensor.FromValues([0, 1, 2, 3, 4, 5], new Shape(6)), part = whole.Part(2, new Shape(2, 2));
        part.Values.ToArray().ShouldBe([2, 3, 4, 5]);
        part.Fill(9);
        whole.Values.ToArray().ShouldBe([0, 1, 9, 9, 9, 9]);
        Should.Throw<ArgumentException>(() => whole.Part(3, new Shape(2, 2)));
        Should.Throw<ArgumentException>(() => whole.Part(-1, new Shape(1)));
        Should.Throw<ArgumentException>(() => whole.Part(long.MaxValue, new Shape(2)));
        Should.Throw<ArgumentException>(() => Tensor.Create(new Shape(64), DType.Q8_0).Part(0, new Shape(32)));
        using Tape tape = new();
        Should.Throw<InvalidOperationException>(() => tape.New(new Shape(4)).Part(0, new Shape(2))).Message.ShouldContain("Tape.View");
    }

    [Fact]
    public void Whole_tensors_are_filled_summed_and_searched()
    {
        Tensor tensor = Tensor.Create(new Shape(2, 3));
        tensor.Fill(2);
        tensor.SumOfSquares().ShouldBe(24);
        tensor.FirstNonFinite().ShouldBe(-1);
        tensor.Row(1)[1] = float.NaN;
        tensor.FirstNonFinite().ShouldBe(4);
        tensor.Row(0)[2] = float.NegativeInfinity;
        tensor.FirstNonFinite().ShouldBe(2);
        Should.Throw<InvalidOperationException>(() => Tensor.Create(new Shape(2), DType.I32).Fill(1)).Message.ShouldBe("I32 [2] is not F32");
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
