using System.Runtime.InteropServices;
using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

[Collection(nameof(ComputePool))]
public sealed unsafe class GemmTests : IDisposable
{
    private readonly int _threads = ComputePool.Threads;
    private readonly List<nint> _blocks = [];

    public void Dispose()
    {
        ComputePool.Threads = _threads;
        foreach (nint block in _blocks)
            NativeMemory.Free((void*)block);
    }

    public static TheoryData<KernelTier> Tiers =>
    [
        .. Enum.GetValues<KernelTier>().Where(tier => tier != KernelTier.Reference && (tier == KernelTier.Vector128 || tier.Compiled() <= Isa.Widest)
            && (tier == tier.Compiled() || Isa.WhyNotAssembled is null)),
    ];

    /// <summary>Where the processor's vectors are switched off, they are played in software, a hundred times as slow.</summary>
    private static int Rounds(int rounds) => Isa.Widest == KernelTier.Reference ? rounds / 10 : rounds;

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Every_width_equals_the_plain_loops(KernelTier tier)
    {
        var random = new Random(1);
        for (int round = 0; round < Rounds(200); round++)
        {
            // half of the shapes small, so that every remainder of every tile is met often
            int limit = round % 2 == 0 ? 40 : 201;
            Case x = NewCase(random, random.Next(1, limit), random.Next(1, limit), random.Next(0, limit), random.Next(3) == 0 ? random.Next(1, 70) : 0);
            Check(x, tier);
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Factors_are_rounded_to_bfloat16_where_that_is_allowed(KernelTier tier)
    {
        var random = new Random(14);
        for (int round = 0; round < Rounds(150); round++)
        {
            int limit = round % 2 == 0 ? 40 : 201;
            Case x = NewCase(random, random.Next(1, limit), random.Next(1, limit), random.Next(0, limit), random.Next(3) == 0 ? random.Next(1, 70) : 0);
            x.Call.Precision = GemmPrecision.BF16;
            Check(x, tier);
        }
        foreach ((int m, int n, int k, int k2) in new[] { (17, 70, 2001, 0), (33, 35, 1153, 17), (19, 1500, 797, 8), (60, 900, 1601, 90) })
        {
            Case x = NewCase(random, m, n, k, k2);
            x.Call.Precision = GemmPrecision.BF16;
            Check(x, tier);
        }
        foreach (DType type in new[] { DType.Q4_0, DType.Q6_K })
        {
            Case x = NewCase(random, 21, 70, 512, 0);
            x.Call.B = Stored(random, type, 70, 512, false);
            x.Call.Precision = GemmPrecision.BF16;
            Check(x, tier);
        }
    }

    /// <summary>Every format whose codes are multiplied, with every kind of instructions that there is here.</summary>
    public static TheoryData<DType, string> Quantized
    {
        get
        {
            TheoryData<DType, string> data = [];
            foreach (DType type in new[] { DType.Q4_0, DType.Q4_1, DType.Q8_0, DType.Q4_K, DType.Q6_K, DType.Int8Row })
            {
                data.Add(type, nameof(IntegerDots.Compiled));
                if (Isa.WhyNotAssembled is not null)
                    continue;
                data.Add(type, nameof(IntegerDots.Avx2));
                if (ProcessorFeatures.AvxVnni)
                    data.Add(type, nameof(IntegerDots.AvxVnni));
                if (ProcessorFeatures.Avx512Vnni)
                    data.Add(type, nameof(IntegerDots.Avx512Vnni));
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Quantized))]
    public void Stored_codes_meet_activations_in_8_bits(DType type, string instructions)
    {
        IntegerDots dots = Enum.Parse<IntegerDots>(instructions);
        var random = new Random(15);
        int unit = type.BlockSize();
        for (int round = 0; round < 40; round++)
        {
            int m = round < 20 ? round + 1 : random.Next(1, 100), n = random.Next(1, 90), k = unit * random.Next(1, unit == 32 ? 12 : 4);
            Case x = NewCase(random, m, n, k, random.Next(3) == 0 ? random.Next(1, 40) : 0);
            x.Call.B = Stored(random, type, n, k, false);
            x.Call.Precision = GemmPrecision.Int8;
            CheckInt8(x, dots);
            // rows, threads and the place of the weights do not change a bit
            if (x.Call.K2 > 0)
                continue;
            float[]? first = null;
            foreach (int threads in new[] { 1, 2, 3, 5 })
            {
                ComputePool.Threads = threads;
                x.Reset();
                Gemm.Run(x.Call, Isa.Tier, dots);
                first ??= x.Result();
                MemoryMarshal.AsBytes(x.Result().AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(first.AsSpan())).ShouldBeTrue($"{threads} threads, {x}");
            }
            byte[] panels = new byte[QuantizedPanels.Bytes(type, n, k)];
            fixed (byte* p = panels)
            {
                QuantizedPanels.Interleave(x.Call.B, n, k, p);
                x.Call.B.Panels = p;
                x.Reset();
                Gemm.Run(x.Call, Isa.Tier, dots);
                MemoryMarshal.AsBytes(x.Result().AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(first.AsSpan())).ShouldBeTrue($"interleaved, {x}");
                x.Call.B.Panels = null;
            }
            x.Call.M = 1;
            x.Reset();
            Gemm.Run(x.Call, Isa.Tier, dots);
            x.Result().AsSpan(0, n).SequenceEqual(first.AsSpan(0, n)).ShouldBeTrue($"a row alone, {x}");
        }
    }

    [Theory]
    [MemberData(nameof(Quantized))]
    public void Products_of_any_shape_equal_the_plain_loops(DType type, string instructions)
    {
        var random = new Random(20);
        int unit = type.BlockSize();
        for (int round = 0; round < 8; round++)
        {
            Case x = NewCase(random, random.Next(1, 201), random.Next(1, 201), unit * random.Next(1, 200 / unit + 2), 0);
            x.Call.B = Stored(random, type, x.Call.N, x.Call.K, false);
            x.Call.Precision = GemmPrecision.Int8;
            CheckInt8(x, Enum.Parse<IntegerDots>(instructions));
        }
    }

    [Theory]
    [MemberData(nameof(Quantized))]
    public void Long_and_broad_products_of_stored_codes_run_in_blocks(DType type, string instructions)
    {
        var random = new Random(17);
        foreach ((int m, int n, int k) in new[] { (27, 45, 4352), (25, 900, 768), (3, 600, 512), (700, 3, 1536) })
        {
            Case x = NewCase(random, m, n, k, 0);
            x.Call.B = Stored(random, type, n, k, false);
            x.Call.Precision = GemmPrecision.Int8;
            CheckInt8(x, Enum.Parse<IntegerDots>(instructions));
            byte[] panels = new byte[QuantizedPanels.Bytes(type, n, k)];
            fixed (byte* p = panels)
            {
                QuantizedPanels.Interleave(x.Call.B, n, k, p);
                x.Call.B.Panels = p;
                CheckInt8(x, Enum.Parse<IntegerDots>(instructions));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Quantized))]
    public void All_instructions_give_the_same_bits(DType type, string instructions)
    {
        var random = new Random(18);
        Case x = NewCase(random, 7, 75, 1280, 0);
        x.Call.B = Stored(random, type, 75, 1280, false);
        x.Call.Precision = GemmPrecision.Int8;
        x.Reset();
        Gemm.Run(x.Call, Isa.Tier, IntegerDots.Compiled);
        float[] compiled = x.Result();
        x.Reset();
        Gemm.Run(x.Call, Isa.Tier, Enum.Parse<IntegerDots>(instructions));
        x.Result().ShouldBe(compiled);
    }

    [Theory]
    [MemberData(nameof(Quantized))]
    public void Nothing_is_read_behind_stored_codes(DType type, string instructions)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "guard pages are set up by Linux calls");
        var random = new Random(16);
        for (int round = 0; round < 10; round++)
        {
            int n = random.Next(1, 40), k = type.BlockSize() * random.Next(1, 4);
            Case x = NewCase(random, 3 * round + 1, n, k, 0);
            GemmOperand b = Stored(random, type, n, k, false);
            int bytes = (int)type.Bytes((long)n * k), packed = (int)QuantizedPanels.Bytes(type, n, k);
            using var guarded = new GuardedMemory(bytes);
            using var panels = new GuardedMemory(packed);
            Buffer.MemoryCopy(b.Data, guarded.Data, bytes, bytes);
            x.Call.B = new GemmOperand(guarded.Data, type, k);
            x.Call.Precision = GemmPrecision.Int8;
            CheckInt8(x, Enum.Parse<IntegerDots>(instructions));
            QuantizedPanels.Interleave(x.Call.B, n, k, panels.Data);
            x.Call.B.Panels = panels.Data;
            CheckInt8(x, Enum.Parse<IntegerDots>(instructions));
        }
    }

    [Fact]
    public void Products_of_the_same_activations_run_together()
    {
        var random = new Random(19);
        foreach (int m in new[] { 1, 8, 40 })
        {
            Case[] cases = new Case[3];
            GemmCall[] calls = new GemmCall[3];
            for (int i = 0; i < cases.Length; i++)
            {
                DType type = i == 2 ? DType.Q6_K : DType.Q4_K;
                cases[i] = NewCase(random, m, 64 + 37 * i, 512, 0);
                cases[i].Call.B = Stored(random, type, 64 + 37 * i, 512, false);
                cases[i].Call.Precision = GemmPrecision.Int8;
                (cases[i].Call.A, cases[i].Call.Alpha) = (cases[0].Call.A, cases[0].Call.Alpha);
                calls[i] = cases[i].Call;
                cases[i].Reset();
                Gemm.Run(calls[i]);
            }
            float[][] alone = [.. cases.Select(x => x.Result())];
            foreach (Case x in cases)
                x.Reset();
            Gemm.RunTogether(calls);
            for (int i = 0; i < cases.Length; i++)
                cases[i].Result().ShouldBe(alone[i], $"{m} rows, product {i}");
            // one of another precision runs as it would alone
            calls[1].Precision = GemmPrecision.Single;
            foreach (Case x in cases)
                x.Reset();
            Gemm.RunTogether(calls);
            cases[2].Result().ShouldBe(alone[2]);
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void A_few_rows_read_the_weights_as_they_are_stored(KernelTier tier)
    {
        var random = new Random(9);
        for (int round = 0; round < Rounds(120); round++)
        {
            Check(NewCase(random, random.Next(1, 10), random.Next(1, 150), random.Next(0, 150), random.Next(3) == 0 ? random.Next(1, 70) : 0), tier);
        }
        Check(NewCase(random, 2, 2500, 20, 16), tier);
        Check(NewCase(random, 3, 700, 1200, 16), tier);
        foreach (DType type in new[] { DType.Q4_1, DType.Q6_K, DType.F64 })
        {
            foreach (bool transposed in new[] { false, true })
            {
                Case x = NewCase(random, 5, 512, 512, 0);
                x.Call.B = Stored(random, type, 512, 512, transposed);
                Check(x, tier);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Columns_of_a_weight_may_lie_in_an_order_of_their_own(KernelTier tier)
    {
        var random = new Random(20);
        for (int round = 0; round < Rounds(60); round++)
        {
            // one row, a few, many; the second product, sums in place and bias as NewCase draws them
            int m = round % 3 == 0 ? random.Next(1, 9) : random.Next(9, 100), n = random.Next(1, 100), k = random.Next(1, 100);
            bool transposed = round % 2 == 1;
            DType type = random.Next(2) == 0 ? DType.F32 : DType.U4G32;
            if (type == DType.U4G32)
                (n, k) = transposed ? (32 * random.Next(1, 5), k) : (n, 32 * random.Next(1, 5));
            (int memoryRows, int columns) = transposed ? (k, n) : (n, k);
            Case x = NewCase(random, m, n, k, random.Next(3) == 0 ? random.Next(1, 40) : 0);
            GemmOperand stored = type == DType.F32 ? new GemmOperand(Floats(random, memoryRows * columns, 0), type, columns, transposed) : Stored(random, type, memoryRows, columns, transposed);
            int[] order = [.. Enumerable.Range(0, columns)];
            random.Shuffle(order);
            float* wide = Floats(random, memoryRows * columns, 0);
            for (int row = 0; row < memoryRows; row++)
                stored.Read(row, 0, columns, wide + row * columns);
            fixed (int* places = order)
            {
                ColumnOrder.Restore(places, wide, memoryRows, columns);
                for (int p = 0; p < columns; p++)
                {
                    float there;
                    stored.Read(memoryRows - 1, p, 1, &there);
                    wide[(memoryRows - 1) * columns + order[p]].ShouldBe(there);
                }
                x.Call.B = new GemmOperand(wide, DType.F32, columns, transposed);
                x.Scale = 20;
                x.Reset();
                GemmReference.Run(x.Call);
                float[] expected = x.Result();
                stored.Order = places;
                x.Call.B = stored;
                x.Reset();
                Gemm.Run(x.Call, tier);
                float[] found = x.Result();
                float scale = Math.Max(1, expected.Max(Math.Abs));
                for (int i = 0; i < expected.Length; i++)
                    Math.Abs(found[i] - expected[i]).ShouldBeLessThanOrEqualTo(3e-6f * scale, $"{tier}, {x}: element {i}");
            }
        }
    }

    [Fact]
    public void Activations_cannot_have_an_order_of_columns()
    {
        var random = new Random(21);
        Case x = NewCase(random, 3, 4, 5, 0);
        int* order = stackalloc int[5];
        x.Call.A.Order = order;
        Should.Throw<ArgumentException>(() => Gemm.Run(x.Call)).Message.ShouldContain("operand A");
    }

    [Fact]
    public void A_row_alone_gives_the_bits_it_gives_among_a_few_others()
    {
        var random = new Random(10);
        Case x = NewCase(random, 8, 100, 333, 16);
        x.Call.A = Operand(random, 8, 333, transposed: false);
        x.Call.B = Operand(random, 100, 333, transposed: false);
        x.Call.B2 = Operand(random, 100, 16, transposed: false);
        Gemm.Run(x.Call);
        float[] together = x.Result();
        for (int m = 1; m < 8; m++)
        {
            x.Call.M = m;
            x.Reset();
            Gemm.Run(x.Call);
            x.Result().AsSpan(0, m * (int)x.Call.StrideC).SequenceEqual(together.AsSpan(0, m * (int)x.Call.StrideC)).ShouldBeTrue();
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Derivatives_of_narrow_factors_are_sums_of_outer_products(KernelTier tier)
    {
        // more rows than a chunk has, more columns than a part, narrow factors of several tiles, and tails of all of them
        var random = new Random(22);
        for (int round = 0; round < Rounds(60); round++)
            CheckBothSides(random.Next(1, 71), random.Next(1, 201), random.Next(0, 201));
        CheckBothSides(16, 5000, 100);
        CheckBothSides(64, 2700, 49);

        void CheckBothSides(int narrow, int wide, int k)
        {
            foreach ((int m, int n) in new[] { (narrow, wide), (wide, narrow) })
            {
                Case x = NewCase(random, m, n, k, 0);
                (x.Call.A, x.Call.B) = (Operand(random, m, k, transposed: true), Operand(random, n, k, transposed: true));
                x.Call.Bias = null;
                OuterProducts.Fits(x.Call).ShouldBe(Math.Min(m, n) <= 64);
                Check(x, tier);
                float[]? first = null;
                foreach (int threads in new[] { 1, 2, 3, 5 })
                {
                    ComputePool.Threads = threads;
                    x.Reset();
                    Gemm.Run(x.Call, tier);
                    first ??= x.Result();
                    MemoryMarshal.AsBytes(x.Result().AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(first.AsSpan())).ShouldBeTrue($"{threads} threads, {x}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Long_sums_run_in_blocks(KernelTier tier)
    {
        var random = new Random(2);
        foreach ((int m, int n, int k, int k2) in new[] { (17, 70, 1000, 0), (33, 35, 1153, 16), (3, 40, 770, 500), (5, 33, 0, 900), (1, 1, 5000, 1) })
            Check(NewCase(random, m, n, k, k2), tier);
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Rows_4_kB_apart_are_read_as_well_as_others(KernelTier tier)
    {
        // assembled tiles read rows where they lie, but for these, which they copy: some of the drawn ones have their rows that far apart, some not
        var random = new Random(21);
        for (int round = 0; round < 8; round++)
            Check(NewCase(random, random.Next(1, 60), random.Next(1, 80), 1024, random.Next(2) * random.Next(40)), tier);
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Many_columns_run_in_blocks(KernelTier tier)
    {
        var random = new Random(3);
        Check(NewCase(random, 19, 1500, 390, 8), tier);
        Check(NewCase(random, 2, 3001, 100, 0), tier);
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Nothing_is_read_or_written_behind_the_matrices(KernelTier tier)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "guard pages are set up by Linux calls");
        var random = new Random(11);
        for (int round = 0; round < Rounds(120); round++)
        {
            (int m, int n, int k) = (random.Next(1, 50), random.Next(1, 100), random.Next(1, 70));
            Case x = NewCase(random, m, n, k, 0);
            (GemmOperand a, GemmOperand b) = (x.Call.A, x.Call.B);
            // the last row ends with its last element, not with its stride
            int aBytes = Bytes(a, m, k), bBytes = Bytes(b, n, k), cBytes = (int)((m - 1) * x.Call.StrideC + n) * sizeof(float);
            using var guardedA = new GuardedMemory(aBytes);
            using var guardedB = new GuardedMemory(bBytes);
            using var guardedC = new GuardedMemory(cBytes);
            Buffer.MemoryCopy(a.Data, guardedA.Data, aBytes, aBytes);
            Buffer.MemoryCopy(b.Data, guardedB.Data, bBytes, bBytes);
            x.Reset();
            Gemm.Run(x.Call, tier);
            float[] expected = x.Result();
            Buffer.MemoryCopy(Reset(x), guardedC.Data, cBytes, cBytes);
            x.Call.A.Data = guardedA.Data;
            x.Call.B.Data = guardedB.Data;
            float* c = x.Call.C;
            x.Call.C = (float*)guardedC.Data;
            Gemm.Run(x.Call, tier);
            new Span<float>(x.Call.C, cBytes / sizeof(float)).SequenceEqual(expected.AsSpan(0, cBytes / sizeof(float))).ShouldBeTrue();
            x.Call.C = c;
        }

        static int Bytes(in GemmOperand x, int rows, int k) => (int)((x.Transposed ? (k - 1) * x.Stride + rows : (rows - 1) * x.Stride + k) * x.Type.BlockBytes());

        static float* Reset(Case x)
        {
            x.Reset();
            return x.Call.C;
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void An_empty_sum_leaves_the_bias_alone(KernelTier tier)
    {
        var random = new Random(4);
        Case x = NewCase(random, 5, 37, 0, 0);
        x.Call.Bias = Floats(random, 37, 1);
        x.Call.Accumulate = false;
        Gemm.Run(x.Call, tier);
        for (int i = 0; i < 5; i++)
            new Span<float>(x.Call.C + i * x.Call.StrideC, 37).SequenceEqual(new Span<float>(x.Call.Bias, 37)).ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Block_formats_are_used_in_place(KernelTier tier)
    {
        var random = new Random(5);
        foreach (DType type in (DType[])[.. Enum.GetValues<DType>().Where(type => type.IsBlocked()), DType.I8, DType.F64, DType.F8E4M3])
        {
            int unit = Math.Max(type.BlockSize(), 32);
            foreach (bool transposed in new[] { false, true })
            {
                // many rows, and a few as in generating text
                foreach (int m in new[] { 21, 3 })
                {
                    int rows = transposed ? 2 * unit : 45, k = transposed ? 45 : 2 * unit;
                    Case x = NewCase(random, m, rows, k, 0);
                    x.Call.B = Stored(random, type, transposed ? k : rows, transposed ? rows : k, transposed);
                    x.Scale *= Largest(x.Call.B, 45 * 2 * unit);
                    Check(x, tier);
                    // and as the left factor
                    Case y = NewCase(random, rows, m, k, 0);
                    y.Call.A = x.Call.B;
                    y.Scale = x.Scale;
                    Check(y, tier);
                }
            }
        }
    }

    // at least 1
    private static float Largest(in GemmOperand x, int count)
    {
        float[] values = new float[count];
        fixed (float* y = values)
            BlockFormats.Dequantize(x.Type, x.Data, 0, count, y);
        return values.Max(value => Math.Max(1, Math.Abs(value)));
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void The_number_of_threads_does_not_change_a_bit(KernelTier tier)
    {
        var random = new Random(6);
        for (int round = 0; round < Rounds(40); round++)
        {
            Case x = NewCase(random, round % 3 == 0 ? random.Next(1, 9) : random.Next(1, 200), random.Next(1, 400), random.Next(1, 900), random.Next(2) * random.Next(1, 40));
            x.Call.Precision = round % 4 == 1 ? GemmPrecision.BF16 : GemmPrecision.Single;
            float[]? first = null;
            foreach (int threads in new[] { 1, 2, 3, 5 })
            {
                ComputePool.Threads = threads;
                x.Reset();
                Gemm.Run(x.Call, tier);
                float[] result = x.Result();
                first ??= result;
                MemoryMarshal.AsBytes(result.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(first.AsSpan())).ShouldBeTrue($"{threads} threads, {x}");
            }
        }
    }

    [Theory]
    [InlineData(KernelTier.Vector256, KernelTier.Assembled256)]
    [InlineData(KernelTier.Vector512, KernelTier.Assembled512)]
    public void Assembled_tiles_give_the_bits_of_the_compiled_ones(KernelTier compiled, KernelTier assembled)
    {
        Assert.SkipWhen(compiled > Isa.Widest || Isa.WhyNotAssembled is not null, "not on this machine");
        var random = new Random(13);
        foreach (int n in new[] { 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97 })
        {
            for (int m = 9; m < 60; m++)
            {
                Case x = NewCase(random, m, n, random.Next(0, 60), random.Next(2) * random.Next(1, 9));
                SameBits(x, compiled, assembled);
            }
        }
    }

    [Theory]
    [InlineData(KernelTier.Vector256, KernelTier.Assembled256)]
    [InlineData(KernelTier.Vector512, KernelTier.Assembled512)]
    public void A_product_that_is_computed_as_its_transpose_gives_the_same_bits(KernelTier compiled, KernelTier assembled)
    {
        Assert.SkipWhen(compiled > Isa.Widest || Isa.WhyNotAssembled is not null, "not on this machine");
        var random = new Random(22);
        foreach ((int m, int n, int k, int k2) in new[] { (9, 500, 40, 0), (16, 113, 1300, 16), (33, 225, 577, 8), (100, 1000, 576, 0), (129, 300, 700, 70), (256, 450, 90, 16), (257, 450, 90, 16) })
        {
            for (int round = 0; round < 4; round++)
            {
                Case x = NewCase(random, m, n, k, k2);
                x.Call.B = Operand(random, n, k, transposed: false);
                x.Call.B2 = Operand(random, n, k2, transposed: false);
                SameBits(x, compiled, assembled);
            }
        }
    }

    [Fact]
    public void A_type_that_is_no_number_and_a_row_of_half_a_block_are_refused()
    {
        var random = new Random(12);
        Case x = NewCase(random, 20, 30, 40, 0);
        x.Call.B.Type = DType.C64;
        Should.Throw<ArgumentException>(() => Gemm.Run(x.Call)).Message.ShouldContain("operand B of a product is C64");
        x.Call.B.Type = DType.Q4_0;
        x.Call.B.Stride = 40;
        Should.Throw<ArgumentException>(() => Gemm.Run(x.Call)).Message.ShouldContain("a stride of 40 is not");
    }

    [Fact]
    public void The_rows_of_a_batch_do_not_change_each_other()
    {
        // a row's result is the same bits whichever rows stand around it, as long as there are more than a handful
        var random = new Random(7);
        Case x = NewCase(random, 60, 70, 500, 0);
        x.Call.Accumulate = false;
        Gemm.Run(x.Call);
        float[] together = x.Result();
        x.Call.M = 20;
        x.Reset();
        Gemm.Run(x.Call);
        x.Result().AsSpan(0, 20 * (int)x.Call.StrideC).SequenceEqual(together.AsSpan(0, 20 * (int)x.Call.StrideC)).ShouldBeTrue();
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        Assert.SkipWhen(Isa.Widest == KernelTier.Reference, "vectors played in software allocate");
        var random = new Random(8);
        ComputePool.Threads = 3;
        Case[] cases = [NewCase(random, 100, 200, 300, 16), NewCase(random, 1, 200, 300, 0), NewCase(random, 5, 400, 300, 8), NewCase(random, 30, 30, 30, 0)];
        // the whole process counts: a thread that joins late makes its scratch, the test runner allocates; a call that does would do it every time
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 20 && least > 0; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(true);
            for (int i = 0; i < 20; i++)
            {
                foreach (Case x in cases)
                    Gemm.Run(x.Call);
            }
            least = Math.Min(least, GC.GetTotalAllocatedBytes(true) - before);
        }
        least.ShouldBe(0);
    }

    private static void SameBits(Case x, KernelTier compiled, KernelTier assembled)
    {
        Gemm.Run(x.Call, compiled);
        float[] expected = x.Result();
        x.Reset();
        Gemm.Run(x.Call, assembled);
        MemoryMarshal.AsBytes(x.Result().AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(expected.AsSpan())).ShouldBeTrue(x.ToString());
    }

    private static void CheckInt8(Case x, IntegerDots dots) => Check(x, Isa.Tier, dots);

    private static void Check(Case x, KernelTier tier) => Check(x, tier, QuantizedPlan.DotsOf(tier));

    private static void Check(Case x, KernelTier tier, IntegerDots? dots)
    {
        x.Reset();
        GemmReference.Run(x.Call);
        float[] expected = x.Result();
        x.Reset();
        Gemm.Run(x.Call, tier, dots);
        float[] actual = x.Result();
        float scale = x.Scale;
        for (int i = 0; i < expected.Length; i++)
            scale = i % x.Call.StrideC < x.Call.N ? Math.Max(scale, Math.Abs(expected[i])) : scale;
        for (int i = 0; i < expected.Length; i++)
        {
            bool inside = i % x.Call.StrideC < x.Call.N && i / x.Call.StrideC < x.Call.M;
            // between and behind the rows, not a bit may change
            bool good = inside ? Math.Abs(actual[i] - expected[i]) <= 3e-6f * scale : BitConverter.SingleToInt32Bits(actual[i]) == BitConverter.SingleToInt32Bits(expected[i]);
            if (!good)
                Assert.Fail($"{tier} {dots}, {x}: row {i / x.Call.StrideC}, column {i % x.Call.StrideC}: {actual[i]:R}, expected {expected[i]:R}");
        }
    }

    private Case NewCase(Random random, int m, int n, int k, int k2)
    {
        long stride = n + random.Next(3) * random.Next(20);
        int floats = (int)(m * stride) + 40;
        Case x = new() { Floats = floats, Initial = new float[floats] };
        foreach (ref float value in x.Initial.AsSpan())
            value = Value(random);
        x.Call = new GemmCall
        {
            M = m,
            N = n,
            K = k,
            A = Operand(random, m, k),
            B = Operand(random, n, k),
            Alpha = random.Next(2) == 0 ? 1 : Value(random),
            K2 = k2,
            A2 = Operand(random, m, k2),
            B2 = Operand(random, n, k2),
            Alpha2 = Value(random),
            C = Floats(random, floats, 0),
            StrideC = stride,
            Accumulate = random.Next(2) == 0,
            Bias = random.Next(2) == 0 ? null : Floats(random, n, random.Next(4)),
        };
        x.Scale = 2 + MathF.Sqrt(k) + MathF.Sqrt(k2);
        x.Reset();
        return x;
    }

    private GemmOperand Operand(Random random, int rows, int k) => Operand(random, rows, k, random.Next(2) == 0);

    private GemmOperand Operand(Random random, int rows, int k, bool transposed)
    {
        DType type = new[] { DType.F32, DType.F32, DType.BF16, DType.F16 }[random.Next(4)];
        (int memoryRows, int memoryColumns) = transposed ? (k, rows) : (rows, k);
        long stride = memoryColumns + random.Next(2) * random.Next(9);
        int count = (int)(Math.Max(0, memoryRows - 1) * stride) + memoryColumns;
        // exactly as long as it says, at any address, with values behind the rows that would be noticed
        byte* data = Bytes(count * type.BlockBytes() + 3) + random.Next(4);
        for (int i = 0; i < count; i++)
        {
            float value = i % stride < memoryColumns ? Value(random) : float.NaN;
            if (type == DType.F32)
                MemoryMarshal.Write(new Span<byte>(data + 4L * i, 4), value);
            else if (type == DType.F16)
                MemoryMarshal.Write(new Span<byte>(data + 2L * i, 2), (Half)value);
            else
                MemoryMarshal.Write(new Span<byte>(data + 2L * i, 2), (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
        }
        return new GemmOperand(data, type, stride, transposed);
    }

    private GemmOperand Stored(Random random, DType type, int rows, int columns, bool transposed)
    {
        int bytes = (int)type.Bytes((long)rows * columns);
        byte* data = Bytes(bytes);
        var span = new Span<byte>(data, bytes);
        if (type == DType.F64)
        {
            foreach (ref double value in MemoryMarshal.Cast<byte, double>(span))
                value = Value(random);
        }
        else
        {
            // any bytes are valid codes; scales must stay small and finite
            random.NextBytes(span);
            for (int i = 0; i < bytes; i++)
                span[i] = (byte)(type == DType.Int8Row ? span[i] : type.IsBlocked() ? span[i] & 0x2B : span[i] & 0x3F);
            // a row's blocks repeat its magnitude
            for (int i = 0; type == DType.Int8Row && i < bytes; i += 68)
                MemoryMarshal.Write(span[i..], 0.1f + i / 68 / (columns / 64) % 7);
        }
        return new GemmOperand(data, type, columns, transposed);
    }

    private float* Floats(Random random, int count, int offset)
    {
        float* floats = (float*)Bytes((count + offset) * sizeof(float)) + offset;
        for (int i = 0; i < count; i++)
            floats[i] = Value(random);
        return floats;
    }

    private byte* Bytes(int count)
    {
        void* block = NativeMemory.Alloc((nuint)Math.Max(count, 1));
        _blocks.Add((nint)block);
        return (byte*)block;
    }

    private static float Value(Random random) => (float)(random.NextDouble() * 2 - 1);

    private sealed class Case
    {
        public GemmCall Call;
        public required int Floats;
        public required float[] Initial;
        public float Scale;

        public void Reset() => Initial.AsSpan().CopyTo(new Span<float>(Call.C, Floats));

        public float[] Result() => new Span<float>(Call.C, Floats).ToArray();

        public override string ToString() =>
            $"{Call.M} x {Call.N} x {Call.K}+{Call.K2}, A {Name(Call.A)}, B {Name(Call.B)}, A2 {Name(Call.A2)}, B2 {Name(Call.B2)}, "
            + $"alpha {Call.Alpha}, alpha2 {Call.Alpha2}, accumulate {Call.Accumulate}, bias {Call.Bias != null}";

        private static string Name(GemmOperand x) => $"{x.Type}{(x.Transposed ? "ᵀ" : "")}/{x.Stride}";
    }
}
