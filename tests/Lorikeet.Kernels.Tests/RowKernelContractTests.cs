namespace Lorikeet.Kernels.Tests;

/// <summary>What holds for every kernel on rows: the same bits for any number of threads, and no managed memory once warm.</summary>
[Collection(nameof(ComputePool))]
public sealed unsafe class RowKernelContractTests
{
    private const int Rows = 150, Dim = 531, Vocab = 5000, N = Rows * Dim;

    public static TheoryData<string> Kernels => [.. Cases.Keys];

    private static readonly Dictionary<string, Action<Operands>> Cases = new()
    {
        ["rms norm"] = o => RmsNormKernel.Forward(o.A, Dim, o.W, 1, o.Y, Dim, o.RowA, Rows, Dim, 1e-5f),
        ["rms norm backward"] = o => RmsNormKernel.Backward(o.A, Dim, o.B, Dim, o.W, 1, o.RowB, o.Y, Dim, true, o.Y + N, Rows, Dim),
        ["layer norm"] = o => LayerNormKernel.Forward(o.A, Dim, o.W, 0, o.W, o.Y, Dim, o.RowA, o.RowC, Rows, Dim, 1e-5f),
        ["layer norm backward"] = o => LayerNormKernel.Backward(o.A, Dim, o.B, Dim, o.W, 0, o.RowB, o.RowC, o.Y, Dim, false, o.Y + N, o.Y + N + Dim, Rows, Dim),
        ["activation"] = o => ActivationKernel.Forward(Activation.Gelu, o.A, o.Y, N),
        ["activation backward"] = o => ActivationKernel.Backward(Activation.GeluTanh, o.A, o.B, o.Y, true, N),
        ["gated"] = o => ActivationKernel.GatedForward(Activation.Silu, o.A, Dim, o.B, Dim, o.Y, Dim, Rows, Dim),
        ["gated backward"] = o => ActivationKernel.GatedBackward(Activation.Silu, o.A, Dim, o.B, Dim, o.A, Dim, o.Y, Dim, o.Y + N, Dim, Rows, Dim),
        ["rope tables"] = o => RopeKernel.Tables(o.Ids, Rows, o.W, Dim, 1, o.Y, o.Y + N),
        ["rope"] = o =>
        {
            VectorKernel.Copy(o.A, o.Y, N);
            RopeKernel.Apply(o.Y, Dim, Rows, 5, 106, o.A, o.B, 53, false, false);
        },
        ["softmax"] = o => SoftmaxKernel.Forward(o.A, Dim, o.Y, Dim, Rows, Dim),
        ["softmax backward"] = o => SoftmaxKernel.Backward(o.A, Dim, o.B, Dim, o.Y, Dim, false, Rows, Dim),
        ["log-sum-exp"] = o => SoftmaxKernel.LogSumExp(o.A, Dim, o.Y, Rows, Dim),
        ["cross entropy"] = o =>
        {
            VectorKernel.Copy(o.A, o.Y, 15 * Vocab);
            CrossEntropyKernel.ForwardBackward(o.Y, Vocab, o.Ids, 15, Vocab, o.Y + N, 1, 0.1f);
        },
        ["fill, add, axpy"] = o =>
        {
            VectorKernel.Fill(2, o.Y, N);
            VectorKernel.AddTo(o.A, o.Y, N);
            VectorKernel.Axpy(3, o.B, o.Y, N);
            VectorKernel.MulAddTo(o.A, o.B, o.Y, N);
        },
        ["sums"] = o =>
        {
            o.Y[0] = (float)VectorKernel.Dot(o.A, o.B, N);
            o.Y[1] = (float)VectorKernel.SumSquares(o.A, N);
            o.Y[2] = (float)VectorKernel.Sum(o.A, N);
            o.Y[3] = VectorKernel.MaxAbs(o.A, N);
            o.Y[4] = VectorKernel.FirstNonFinite(o.A, N);
        },
        ["columns"] = o =>
        {
            VectorKernel.AddRowsTo(o.A, Dim, Rows, Dim, o.Y);
            VectorKernel.ScaleColumnsBackward(o.A, Dim, o.B, Dim, o.W, o.Y + N, Dim, false, o.Y + Dim, Rows, Dim);
            VectorKernel.RowNorms(o.A, Dim, Rows, Dim, o.Y + 2 * Dim);
        },
        ["embedding"] = o =>
        {
            EmbeddingKernel.Gather(o.A, DType.F32, Dim, o.Ids, Rows, Dim, o.Y, Dim);
            EmbeddingKernel.ScatterAdd(o.A, Dim, o.Ids, Rows, Dim, o.Y + N, Dim);
        },
        ["adamw"] = o => AdamWKernel.Step(o.Y, o.A, o.Y + N, o.Y + 2 * N, N, 1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001, 1),
        ["adamw in eight bits"] = o =>
        {
            byte* codes = (byte*)(o.Y + N);
            float* scales = o.Y + 2 * N;
            AdamW8Kernel.Clear(codes, scales, codes + N, scales + Rows * Dim / 2, N);
            for (int step = 0; step < 2; step++)
                AdamW8Kernel.Step(o.Y, o.A, codes, scales, codes + N, scales + Rows * Dim / 2, N, 1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001, 1);
            // the codes as numbers, for bytes may look like NaN
            for (int i = 0; i < N; i++)
                o.Y[i] += codes[i];
            VectorKernel.Fill(0, o.Y + N, N);
        },
        ["uniform"] = o => RandomKernel.Uniform(7, 1, o.Y, N, -1, 1),
        ["normal"] = o => RandomKernel.Normal(7, 1, o.Y, N, 0, 1),
        ["dropout"] = o =>
        {
            RandomKernel.DropoutForward(o.A, o.Y, N, 0.1f, 7, 1);
            RandomKernel.DropoutBackward(o.B, o.Y, true, N, 0.1f, 7, 1);
        },
    };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_number_of_threads_does_not_show(string kernel)
        => Tiers.ShouldNotDependOnThreads(() =>
        {
            using var operands = new Operands();
            Cases[kernel](operands);
            return operands.Result();
        }, kernel);

    [Theory]
    [MemberData(nameof(Kernels))]
    public void No_managed_memory_is_allocated(string kernel)
    {
        using var operands = new Operands();
        Tiers.ShouldNotAllocate(() => Cases[kernel](operands));
    }

    /// <summary>Two inputs and an output of three <c>[rows, dim]</c>, a weight row, row scalars and ids.</summary>
    private sealed class Operands : IDisposable
    {
        private readonly FloatBlock _a = FloatBlock.Random(1, N), _b = FloatBlock.Random(2, N), _w = FloatBlock.Random(3, Dim), _y = new(3 * N);
        private readonly FloatBlock _rows = FloatBlock.Random(4, 3 * Rows), _ids = new(Rows);

        public Operands()
        {
            for (int i = 0; i < Rows; i++)
                Ids[i] = i * 37 % Rows;
        }

        public float* A => _a.P;
        public float* B => _b.P;
        public float* W => _w.P;
        public float* Y => _y.P;
        public float* RowA => _rows.P;
        public float* RowB => _rows.P + Rows;
        public float* RowC => _rows.P + 2 * Rows;
        public int* Ids => (int*)_ids.P;

        public FloatBlock Result()
        {
            var result = new FloatBlock(_y.Length + _rows.Length);
            _y.Span.CopyTo(result.Span);
            _rows.Span.CopyTo(result.Span[(int)_y.Length..]);
            return result;
        }

        public void Dispose()
        {
            _a.Dispose();
            _b.Dispose();
            _w.Dispose();
            _y.Dispose();
            _rows.Dispose();
            _ids.Dispose();
        }
    }
}
