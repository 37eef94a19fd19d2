using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class CrossEntropyKernelTests
{
    [Theory]
    [InlineData(0f)]
    [InlineData(0.1f)]
    public void Every_length_and_width_agrees_with_the_reference(float smoothing) => Tiers.Each(tier =>
    {
        const int rows = 4;
        int* targets = stackalloc int[rows];
        foreach (int vocab in Tiers.Lengths.Skip(1).Concat([5000]))
        {
            int ld = vocab + 3;
            (targets[0], targets[1], targets[2], targets[3]) = (vocab - 1, -100, vocab / 2, 0);
            using FloatBlock logits = FloatBlock.Random(vocab, rows * ld, 4), expected = logits.Clone(), before = logits.Clone();
            using FloatBlock nll = new(rows), wanted = new(rows);
            CrossEntropyKernel.ForwardBackward(logits, ld, targets, rows, vocab, nll, 0, smoothing);
            logits.ShouldEqualBits(before, "no derivative was asked for");
            CrossEntropyReference.ForwardBackward(expected, ld, targets, rows, vocab, wanted, 0, smoothing);
            nll.ShouldBeClose(wanted, 3e-7, 3e-7, $"{tier} vocab={vocab}");
            CrossEntropyKernel.ForwardBackward(logits, ld, targets, rows, vocab, nll, 0.25f, smoothing);
            CrossEntropyReference.ForwardBackward(expected, ld, targets, rows, vocab, wanted, 0.25f, smoothing);
            nll.ShouldBeClose(wanted, 3e-7, 3e-7, $"{tier} vocab={vocab}");
            logits.ShouldBeClose(expected, 1e-6, 5e-8, $"{tier} vocab={vocab} derivative");
        }
    });

    [Theory]
    [InlineData(0f)]
    [InlineData(0.1f)]
    public void The_derivative_is_the_slope_of_the_loss(float smoothing)
    {
        const int vocab = 9, wanted = 4;
        int target = wanted;
        using FloatBlock x = FloatBlock.Random(5, vocab, 2), work = new(vocab), nll = new(1), gradient = x.Clone();
        CrossEntropyKernel.ForwardBackward(gradient, vocab, &target, 1, vocab, nll, 1, smoothing);
        for (int i = 0; i < vocab; i++)
            ((double)gradient[i]).ShouldBe(Slopes.Of(x, i, 1 / 128f, () => Loss(x, vocab, wanted, smoothing)), 1e-6);
    }

    private static double Loss(FloatBlock x, int vocab, int target, float smoothing)
    {
        double lse = SoftmaxReference.LogSumExp(x, vocab);
        return (1 - (double)smoothing) * (lse - x[target]) + smoothing * (lse - VectorReference.Sum(x, vocab) / vocab);
    }

    [Fact]
    public void A_wide_vocabulary_keeps_seven_digits()
    {
        const int vocab = 151_936;
        int target = 17;
        using FloatBlock x = FloatBlock.Random(6, vocab, 3), nll = new(1);
        CrossEntropyKernel.ForwardBackward(x, vocab, &target, 1, vocab, nll, 0, 0);
        ((double)nll[0]).ShouldBe(Loss(x, vocab, target, 0), 1e-6);
    }
}
