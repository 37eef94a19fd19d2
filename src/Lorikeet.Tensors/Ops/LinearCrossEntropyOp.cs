using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The loss of a language model's head, without ever holding the logits of all tokens.</summary>
public static unsafe class LinearCrossEntropyOp
{
    /// <summary>Logits held at one time, at most: 24 MB of f32.</summary>
    private const long ChunkElements = 6L << 20;

    /// <summary>Of so many rows, those whose logits are held at one time: parts of equal size, never fewer than 64, so that products stay efficient.</summary>
    public static int RowsAtATime(long rows, int vocabulary)
    {
        long most = Math.Max(64, ChunkElements / vocabulary), parts = (rows + most - 1) / most;
        return parts == 0 ? 0 : (int)((rows + parts - 1) / parts);
    }

    /// <summary>
    /// <c>scale · Σ -log softmax(h Wᵀ + b)[target]</c> over the rows that have a target. Rows are taken in chunks; each chunk's logits become its
    /// derivative at once and then the derivative of <paramref name="hidden"/>, so <c>[rows, vocabulary]</c> never exists. This must be the last op
    /// before <see cref="Tape.Backward(Tensor)"/>.
    /// </summary>
    /// <param name="tape">The step.</param>
    /// <param name="hidden"><c>[rows, dim]</c>.</param>
    /// <param name="weight"><c>[vocabulary, dim]</c>, any storage.</param>
    /// <param name="bias"><c>[vocabulary]</c> or null.</param>
    /// <param name="targets"><c>[rows]</c> i32; negative where there is none.</param>
    /// <param name="scale">Usually 1 / number of targets of the whole optimiser step.</param>
    /// <param name="labelSmoothing">Share of the target's probability that is spread over all tokens.</param>
    /// <param name="logitScale">Factor of the logits (Cohere, Granite).</param>
    /// <param name="tokenLosses">Receives -log p of each target row in order, where not null: <c>[targets]</c>.</param>
    /// <returns>One number.</returns>
    public static Tensor LinearCrossEntropy(
        this Tape tape, Tensor hidden, Tensor weight, Tensor? bias, Tensor targets, float scale, float labelSmoothing = 0, float logitScale = 1,
        Tensor? tokenLosses = null)
    {
        int dim = hidden.Columns, vocabulary = weight.Rows;
        Check.F32("cross entropy", hidden);
        Check.Weight("cross entropy", weight);
        Check.Columns("cross entropy", weight, dim);
        if (bias is not null)
            Check.Vector("cross entropy", bias, vocabulary);
        Check.Indices("cross entropy", targets, hidden.Rows);
        int count = Targets.Check(targets, vocabulary, tokenLosses);
        bool record = tape.Recording && (hidden.RequiresGrad || weight.RequiresGrad || bias is { RequiresGrad: true });
        Tensor loss = Tape.Keep(tape.New(new Shape(1)));
        Tensor? dHidden = null;
        if (record)
        {
            if (hidden.RequiresGrad)
            {
                dHidden = tape.NewGradient(new Shape(hidden.Rows, dim));
                VectorKernel.Fill(0, dHidden.F, dHidden.Shape.Elements);
            }
            Zeroed(tape, weight);
            Zeroed(tape, bias);
        }
        int mark = tape.Mark();
        Tensor rows = tape.New(new Shape(hidden.Rows), DType.I32);
        for (int i = 0, at = 0; i < hidden.Rows; i++)
        {
            if (targets.I[i] >= 0)
                rows.I[at++] = i;
        }
        int chunk = RowsAtATime(count, vocabulary);
        double sum = 0;
        Tensor part = tape.New(new Shape(Math.Max(chunk, 1), dim));
        Tensor? dPart = dHidden is null ? null : tape.New(part.Shape);
        // rows a multiple of 4 kB apart would all want the same few lines of the caches
        int stride = vocabulary % 1024 == 0 ? vocabulary + 16 : vocabulary;
        Tensor logits = tape.New(new Shape(Math.Max(chunk, 1), stride));
        Tensor wanted = tape.New(new Shape(Math.Max(chunk, 1)), DType.I32);
        Tensor nll = tape.New(new Shape(Math.Max(chunk, 1)));
        for (int start = 0; start < count; start += chunk)
        {
            int n = Math.Min(chunk, count - start);
            EmbeddingKernel.Gather(hidden.F, DType.F32, hidden.Ld, rows.I + start, n, dim, part.F, part.Ld);
            for (int i = 0; i < n; i++)
                wanted.I[i] = targets.I[rows.I[start + i]];
            Gemm.Run(new GemmCall
            {
                M = n,
                N = vocabulary,
                K = dim,
                A = Products.Plain(part),
                B = Products.Plain(weight),
                Alpha = logitScale,
                C = logits.F,
                StrideC = logits.Ld,
                Bias = bias is null ? null : bias.F,
                Precision = tape.Precision,
            });
            CrossEntropyKernel.ForwardBackward(logits.F, logits.Ld, wanted.I, n, vocabulary, nll.F, record ? scale : 0, labelSmoothing);
            for (int i = 0; i < n; i++)
                sum += nll.F[i];
            if (tokenLosses is not null)
                VectorKernel.Copy(nll.F, tokenLosses.F + start, n);
            // a factor of 0 makes zeros, which are there already
            if (record && scale != 0)
                ChunkBackward(tape, n, part, dPart, logits, weight, bias, rows.I + start, dHidden, logitScale);
        }
        loss.F[0] = (float)(sum * scale);
        tape.ReleaseTo(mark);
        if (!record)
            return loss;
        LinearCrossEntropyNode node = tape.Rent<LinearCrossEntropyNode>();
        (node.Hidden, node.DHidden) = (hidden, dHidden);
        return tape.Record(node, loss);
    }

    private static void ChunkBackward(
        Tape tape, int n, Tensor part, Tensor? dPart, Tensor dLogits, Tensor weight, Tensor? bias, int* rows, Tensor? dHidden, float logitScale)
    {
        if (dHidden is not null && dPart is not null)
        {
            Gemm.Run(new GemmCall
            {
                M = n,
                N = part.Columns,
                K = weight.Rows,
                A = Products.Plain(dLogits),
                B = Products.Transposed(weight),
                Alpha = logitScale,
                C = dPart.F,
                StrideC = dPart.Ld,
                Precision = tape.Precision,
            });
            for (int i = 0; i < n; i++)
                VectorKernel.Copy(dPart.F + i * dPart.Ld, dHidden.F + rows[i] * dHidden.Ld, part.Columns);
        }
        if (tape.GradOf(weight, out _) is { } dw)
        {
            Gemm.Run(new GemmCall
            {
                M = dw.Rows,
                N = dw.Columns,
                K = n,
                A = Products.Transposed(dLogits),
                B = Products.Transposed(part),
                Alpha = logitScale,
                C = dw.F,
                StrideC = dw.Ld,
                Accumulate = true,
                Precision = tape.Precision,
            });
        }
        if (tape.GradOf(bias, out _) is { } db)
            VectorKernel.AddRowsTo(dLogits.F, dLogits.Ld, n, weight.Rows, db.F);
    }

    private static void Zeroed(Tape tape, Tensor? parameter)
    {
        if (tape.GradOf(parameter, out bool there) is { } grad && !there)
            VectorKernel.Fill(0, grad.F, grad.Shape.Elements);
    }

    private sealed class LinearCrossEntropyNode : Node
    {
        public Tensor Hidden = null!;
        public Tensor? DHidden;

        protected internal override void Backward(Tape tape)
        {
            if (Output.Grad!.F[0] != 1)
                throw new InvalidOperationException("the head's cross entropy made its derivative ahead of time: it must be the loss itself, scaled through its own argument");
            if (DHidden is not null)
                tape.PassOn(DHidden, Hidden);
        }

        protected internal override void Clear() => (Hidden, DHidden) = (null!, null);
    }
}
