using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>A weight whose columns lie in an order of their own gives everywhere what its widened copy gives.</summary>
public sealed class ColumnOrderTests : IDisposable
{
    private const int Out = 40, In = 96, Rank = 3;

    private static readonly int[] Order = Shuffled();

    private readonly Tape _tape = new() { Recording = true };

    public void Dispose() => _tape.Dispose();

    [Fact]
    public void Every_place_of_a_row_goes_to_its_column()
    {
        Tensor wide = Ordered.ToF32(), asItLies = Plain.ToF32();
        for (int p = 0; p < In; p++)
            wide.At(7, Order[p]).ShouldBe(asItLies.At(7, p));
        float[] row = new float[In];
        Ordered.ReadRow(7, row);
        row.ShouldBe(wide.Row(7).ToArray());
        Ordered.To(DType.BF16).ToF32().ShouldBeNear((i, j) => wide.At(i, j), 4e-3);
        Tensor ids = Tensor.Create(new Shape(2), DType.I32);
        ids.Integers[0] = 7;
        _tape.Embedding(Ordered, ids).Row(0).ToArray().ShouldBe(row);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(60)]
    public void A_linear_layer_and_the_derivative_of_its_input(int rows)
    {
        Same([X(rows)], (weight, leaves) => _tape.Linear(leaves[0], weight, Bias));
        // stored [in, out], the order is that of the outputs
        Same([Numbers.Trainable(4, rows, Out)], (weight, leaves) => _tape.Linear(leaves[0], weight, null, transposed: true));
    }

    [Theory]
    [InlineData(1, 0f)]
    [InlineData(60, 0f)]
    [InlineData(60, 0.3f)]
    public void A_low_rank_update_beside_it(int rows, float dropout) =>
        Same([X(rows), A, B], (weight, leaves) => _tape.LowRankLinear(leaves[0], weight, Bias, false, leaves[1], leaves[2], 0.5f, dropout));

    [Fact]
    public void Norms_of_its_outputs_and_a_loss_of_its_logits()
    {
        Tensor norms = _tape.LowRankNorms(Ordered.ToF32(), false, A, B, 0.5f);
        _tape.LowRankNorms(Ordered, false, A, B, 0.5f).ShouldBeNear(norms.At);
        _tape.LowRankNorms(Ordered, false, A, B, 0.5f, LowRankNormsOp.OutputSquares(Ordered, false)).ShouldBeNear(norms.At, 1e-5);
        Same([X(9)], (weight, leaves) => _tape.LinearCrossEntropy(leaves[0], weight, null, Tensor.Create(new Shape(9), DType.I32), 0.1f));
    }

    [Fact]
    public void Bytes_are_neither_written_over_nor_taken_for_an_ordinary_weight()
    {
        Should.Throw<ArgumentException>(() => Plain.CopyFrom(Ordered));
        Should.Throw<ArgumentException>(() => Ordered.CopyFrom(Plain));
        StoredTensor stored = new("w", DType.U4G32, [Out, In], Plain.Contents, new NativeBuffer(12).Bytes);
        Should.Throw<ArgumentException>(() => Tensor.FromStored(stored, new Shape(Out, In))).Message.ShouldContain("96 columns, not an order of 3");
    }

    /// <summary>Values and derivatives of a pass with the ordered weight, and of one with its widened copy.</summary>
    private void Same(Tensor[] leaves, Func<Tensor, Tensor[], Tensor> op)
    {
        Tensor[] copies = [.. leaves.Select(leaf => Tensor.FromValues(leaf.Values, leaf.Shape))];
        foreach (Tensor copy in copies)
            copy.RequiresGrad = true;
        ulong counter = _tape.Counter;
        float[] found = Pass(op(Ordered, leaves));
        _tape.Counter = counter;
        Tensor y = op(Ordered.ToF32(), copies);
        y.ShouldBeNear((i, j) => found[i * y.Columns + j], 1e-5);
        Pass(y);
        for (int i = 0; i < leaves.Length; i++)
            leaves[i].Grad!.ShouldBeNear(copies[i].Grad!.At, 1e-5);

        float[] Pass(Tensor result)
        {
            float[] values = result.Values.ToArray();
            if (values.Length == 1)
            {
                _tape.Backward(result);
                return values;
            }
            Numbers.Random(9, result.Rows, result.Columns).Values.CopyTo(_tape.GradOf(result, out _)!.Values);
            _tape.BackwardTo(0);
            return values;
        }
    }

    private static Tensor A => Numbers.Trainable(11, Rank, In);

    private static Tensor B => Numbers.Trainable(12, Out, Rank);

    private static Tensor Bias => Numbers.Random(13, 1, Out);

    private static Tensor X(int rows) => Numbers.Trainable(3, rows, In);

    private static Tensor Plain
    {
        get
        {
            Tensor tensor = Stored.Make(DType.U4G32, new Shape(Out, In), new OpInput("weight", new Shape(Out, In)).Values(2));
            NativeBuffer buffer = new(tensor.Bytes);
            tensor.Contents.Span.CopyTo(buffer.Span);
            for (int block = 0; block < buffer.Length; block += DType.U4G32.BlockBytes())
                BinaryPrimitives.WriteUInt16LittleEndian(buffer.Span[(block + 2)..], (ushort)(block % 16));
            return Tensor.FromBytes(buffer.Bytes, DType.U4G32, new Shape(Out, In));
        }
    }

    private static Tensor Ordered
    {
        get
        {
            NativeBuffer places = new(In * sizeof(int));
            MemoryMarshal.AsBytes(Order.AsSpan()).CopyTo(places.Span);
            return Tensor.FromStored(new StoredTensor("w", DType.U4G32, [Out, In], Plain.Contents, places.Bytes), new Shape(Out, In));
        }
    }

    private static int[] Shuffled()
    {
        int[] order = [.. Enumerable.Range(0, In)];
        new Random(1).Shuffle(order);
        return order;
    }
}
