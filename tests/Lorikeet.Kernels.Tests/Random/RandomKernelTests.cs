using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class RandomKernelTests
{
    /// <summary>The known answers that Random123 publishes for philox4x32, 10 rounds.</summary>
    [Theory]
    [InlineData(0ul, 0ul, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x299f31d0a4093822ul, 0x85a308d3243f6a88ul, 0x0370734413198a2eul, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_gives_the_published_words(ulong seed, ulong low, ulong high, uint x0, uint x1, uint x2, uint x3)
        => Philox.Block(seed, low, high).ShouldBe((x0, x1, x2, x3));

    [Fact]
    public void Every_length_and_width_agrees_with_the_reference() => Tiers.Each(tier =>
    {
        foreach (int n in Tiers.Lengths.Concat([129, 1000]))
        {
            // the counter crosses a boundary of 32 bits
            const ulong seed = 0x123456789abcdef0, counter = 0xffff_fff8;
            string what = $"{tier} n={n}";
            using FloatBlock x = FloatBlock.Random(n, n), y = new(n), expected = new(n);
            RandomKernel.Uniform(seed, counter, y, n, -2, 3);
            RandomReference.Uniform(seed, counter, expected, n, -2, 3);
            y.ShouldBeClose(expected, 2e-7, 2e-7, what);
            RandomKernel.Normal(seed, counter, y, n, 1, 2);
            RandomReference.Normal(seed, counter, expected, n, 1, 2);
            y.ShouldBeClose(expected, 1e-6, 1e-6, what);
            RandomKernel.DropoutForward(x, y, n, 0.4f, seed, counter);
            RandomReference.Dropout(x, expected, n, 0.4f, seed, counter, false);
            y.ShouldEqualBits(expected, what);
            RandomKernel.DropoutBackward(x, y, true, n, 0.4f, seed, counter);
            RandomReference.Dropout(x, expected, n, 0.4f, seed, counter, true);
            y.ShouldBeClose(expected, 1e-6, 1e-7, what);
        }
    });

    [Fact]
    public void A_stream_can_be_taken_up_anywhere()
    {
        using FloatBlock whole = new(100), part = new(60);
        RandomKernel.Uniform(5, 10, whole, 100, 0, 1);
        RandomKernel.Uniform(5, 10 + RandomKernel.Blocks(40), part, 60, 0, 1);
        part.Span.SequenceEqual(whole.Span[40..]).ShouldBeTrue();
    }

    [Fact]
    public void Numbers_have_the_moments_they_should()
    {
        const int n = 1 << 20;
        using FloatBlock y = new(n);
        RandomKernel.Uniform(1, 0, y, n, 0, 1);
        (VectorKernel.Sum(y, n) / n).ShouldBe(0.5, 1e-3);
        (VectorKernel.SumSquares(y, n) / n).ShouldBe(1 / 3.0, 1e-3);
        RandomKernel.Normal(1, 0, y, n, 0, 1);
        (VectorKernel.Sum(y, n) / n).ShouldBe(0, 3e-3);
        (VectorKernel.SumSquares(y, n) / n).ShouldBe(1, 5e-3);
        VectorKernel.MaxAbs(y, n).ShouldBeInRange(4, 6);
        VectorKernel.FirstNonFinite(y, n).ShouldBe(-1);
    }

    [Fact]
    public void Dropout_keeps_its_share_and_the_mean()
    {
        const int n = 1 << 18;
        using FloatBlock x = new(n), y = new(n);
        x.Span.Fill(1);
        RandomKernel.DropoutForward(x, y, n, 0.1f, 3, 0);
        int kept = y.Span.ToArray().Count(v => v != 0);
        (kept / (double)n).ShouldBe(0.9, 3e-3);
        y.Span.ToArray().ShouldAllBe(v => v == 0 || v == 1 / 0.9f);
        RandomKernel.DropoutForward(x, y, n, 0, 3, 0);
        y.ShouldEqualBits(x, "nothing is dropped at 0");
        RandomKernel.DropoutForward(x, y, n, 1, 3, 0);
        y.Span.ToArray().ShouldAllBe(v => v == 0);
    }
}
