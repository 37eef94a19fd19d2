using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

public sealed class AttentionOpTests : IDisposable
{
    private readonly Tape _tape = new();

    public void Dispose() => _tape.Dispose();

    /// <summary>Queries, keys, values and sums stay; the output where it would take long to make again.</summary>
    [Theory]
    [InlineData(2 * AttentionOp.FewKeys - 1, false)]
    [InlineData(2 * AttentionOp.FewKeys + 1, true)]
    public void Of_short_texts_the_output_is_not_kept(int rows, bool kept)
    {
        const int wide = 16;
        using Tape tape = new() { Recording = true };
        Tensor first = Tensor.Create(new Shape(rows), DType.I32), last = Tensor.Create(new Shape(rows), DType.I32);
        for (int i = 0; i < rows; i++)
            last.Integers[i] = i + 1;
        Tensor[] made = [.. Enumerable.Range(1, 3).Select(seed => tape.Scale(Numbers.Trainable(seed, rows, wide), 1))];
        Tensor y = tape.Attention(made[0], made[1], made[2], first, last, 2, 2, 0.3f), sum = tape.Linear(y, Numbers.Trainable(5, 4, wide));
        float[] before = y.Values.ToArray();
        long all = tape.UsedBytes;
        tape.PutAway(0, sum, sum);
        (all - tape.UsedBytes).ShouldBe(kept ? 0 : rows * wide * sizeof(float));
        y.Values.ToArray().ShouldBe(before);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.7f)]
    public void Each_head_is_a_softmax_over_the_keys_that_a_row_sees(float softCap)
    {
        const int queries = 5, keys = 7, heads = 4, kvHeads = 2, headDim = 3, valueDim = 2;
        Tensor q = Numbers.Random(1, queries, heads * headDim), k = Numbers.Random(2, keys, kvHeads * headDim), v = Numbers.Random(3, keys, kvHeads * valueDim);
        int[] first = [0, 1, 3, 4, 2], last = [7, 2, 3, 7, 5];
        Tensor y = _tape.Attention(q, k, v, OpCases.Integers(_tape, first), OpCases.Integers(_tape, last), heads, kvHeads, 0.9f, softCap);
        y.ShouldBeNear((i, column) =>
        {
            int head = column / valueDim, shared = head / (heads / kvHeads);
            double above = 0, below = 0;
            for (int j = first[i]; j < last[i]; j++)
            {
                double score = 0.9 * Enumerable.Range(0, headDim).Sum(d => q.At(i, head * headDim + d) * k.At(j, shared * headDim + d));
                double weight = Math.Exp(softCap == 0 ? score : softCap * Math.Tanh(score / softCap));
                above += weight * v.At(j, shared * valueDim + column % valueDim);
                below += weight;
            }
            return below == 0 ? 0 : above / below;
        });
        y.Row(2).ToArray().ShouldAllBe(value => value == 0, "a row that sees nothing");
    }

    [Fact]
    public void Keys_beyond_the_last_are_refused()
    {
        Tensor q = Numbers.Random(1, 2, 8), k = Numbers.Random(2, 3, 4);
        Should.Throw<ArgumentException>(() => Attend([0, 0], [1, 4])).Message.ShouldBe("attention: query 1 is to see the keys 0..3, there are 3");
        Should.Throw<ArgumentException>(() => Attend([-1, 0], [1, 1]));
        Should.Throw<ArgumentException>(() => Attend([0], [1]));
        Attend([5, 0], [5, 3]).Rows.ShouldBe(2);

        Tensor Attend(int[] first, int[] last) => _tape.Attention(q, k, k, OpCases.Integers(_tape, first), OpCases.Integers(_tape, last), 4, 2, 1);
    }

    [Fact]
    public void Heads_that_do_not_fit_are_refused()
    {
        Tensor first = OpCases.Integers(_tape, [0, 0]), last = OpCases.Integers(_tape, [1, 1]);
        (int Q, int K, int V, int Heads, int KvHeads)[] wrong = [(8, 4, 4, 3, 1), (8, 4, 4, 4, 3), (8, 5, 4, 4, 2), (8, 4, 5, 4, 2), (8, 4, 4, 4, 0), (9, 4, 4, 4, 2)];
        foreach ((int qColumns, int kColumns, int vColumns, int heads, int kvHeads) in wrong)
        {
            Tensor q = Numbers.Random(1, 2, qColumns), k = Numbers.Random(2, 2, kColumns), v = Numbers.Random(3, 2, vColumns);
            Should.Throw<ArgumentException>(() => _tape.Attention(q, k, v, first, last, heads, kvHeads, 1)).Message.ShouldContain("attention");
        }
        Should.Throw<ArgumentException>(() => _tape.Attention(Numbers.Random(1, 2, 8), Numbers.Random(1, 2, 8), Numbers.Random(1, 3, 8), first, last, 2, 2, 1));
    }
}
