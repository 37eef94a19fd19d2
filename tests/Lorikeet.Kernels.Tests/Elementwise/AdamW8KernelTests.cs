using System.Runtime.InteropServices;
using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class AdamW8KernelTests
{
    [Fact]
    public void Many_steps_of_every_length_and_width_follow_the_reference() => Tiers.Each(tier =>
    {
        foreach (int n in (int[])[0, 1, 15, 17, 255, 256, 257, 511, 700, 3 * AdamW8Job.PartBlocks * AdamW8Kernel.Block + 100])
        {
            using FloatBlock w = FloatBlock.Random(n, n), wanted = w.Clone();
            using State ours = new(n), theirs = new(n);
            for (int step = 1; step <= 5; step++)
            {
                using FloatBlock g = FloatBlock.Random(n + step, n, 1e-3f);
                // rows without a gradient stay as they are
                g.Span[..(n / 3)].Clear();
                double c1 = 1 - Math.Pow(0.9, step), c2 = 1 - Math.Pow(0.999, step);
                AdamW8Kernel.Step(w, g, ours.Mean, ours.MeanScales, ours.Square, ours.SquareScales, n, 1e-2, 0.9, 0.999, 1e-8, 0.1, c1, c2, 0.5f);
                AdamW8Reference.Step(wanted, g, theirs.Mean, theirs.MeanScales, theirs.Square, theirs.SquareScales, n, 1e-2, 0.9, 0.999, 1e-8, 0.1, c1, c2, 0.5f);
            }
            w.ShouldEqualBits(wanted, $"{tier} n={n}");
            ours.All.SequenceEqual(theirs.All).ShouldBeTrue($"{tier} moments n={n}");
        }
    });

    [Fact]
    public void A_table_finds_the_code_that_a_search_finds()
    {
        Random random = new(1);
        float[] numbers =
        [
            0, -0f, 1, -1, 2, -2, float.Epsilon, float.NaN,
            .. Enumerable.Range(0, 200_000).Select(_ => (float)((random.NextDouble() * 2 - 1) * Math.Pow(10, -8 * random.NextDouble()))),
            // both sides of every border
            .. Borders(DynamicMap.Signed), .. Borders(DynamicMap.Unsigned),
        ];
        byte[] codes = new byte[numbers.Length];
        foreach (bool signed in (bool[])[true, false])
        {
            ReadOnlySpan<float> map = signed ? DynamicMap.Signed : DynamicMap.Unsigned;
            fixed (float* x = numbers)
            fixed (byte* y = codes)
                (signed ? DynamicMapTable.Signed : DynamicMapTable.Unsigned).Encode(x, numbers.Length, 1, y);
            for (int i = 0; i < numbers.Length; i++)
            {
                if (!float.IsNaN(numbers[i]))
                    codes[i].ShouldBe(DynamicMap.Nearest(map, Math.Clamp(numbers[i], -1, 1)), $"{numbers[i]:R}");
            }
        }
    }

    private static List<float> Borders(ReadOnlySpan<float> map)
    {
        List<float> numbers = [];
        for (int i = 0; i < 255; i++)
        {
            float middle = (map[i] + map[i + 1]) / 2;
            numbers.AddRange([map[i], middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle), MathF.BitIncrement(MathF.BitIncrement(middle)), MathF.BitDecrement(MathF.BitDecrement(middle))]);
        }
        return numbers;
    }

    private sealed class State : IDisposable
    {
        private readonly int _bytes;
        private readonly byte* _memory;

        public State(int n)
        {
            long blocks = AdamW8Kernel.Blocks(n);
            _bytes = (int)(2 * n + 2 * blocks * sizeof(float));
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)_bytes + 64, 64);
            MeanScales = (float*)_memory;
            SquareScales = MeanScales + blocks;
            Mean = (byte*)(SquareScales + blocks);
            Square = Mean + n;
            AdamW8Kernel.Clear(Mean, MeanScales, Square, SquareScales, n);
        }

        public byte* Mean { get; }

        public byte* Square { get; }

        public float* MeanScales { get; }

        public float* SquareScales { get; }

        public Span<byte> All => new(_memory, _bytes);

        public void Dispose() => NativeMemory.AlignedFree(_memory);
    }
}
