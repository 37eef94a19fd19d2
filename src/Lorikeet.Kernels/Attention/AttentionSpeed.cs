using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>Which use of attention a measurement stands for.</summary>
public enum AttentionForm
{
    /// <summary>Every row sees those before it and itself; what a derivative reads is kept.</summary>
    Forward,
    /// <summary>The derivative of that.</summary>
    Backward,
    /// <summary>As forward, with nothing kept: reading a prompt.</summary>
    Prefill,
    /// <summary>One row a sequence, which sees all of its keys: writing text.</summary>
    Decode,
}

/// <summary>Measures <see cref="AttentionKernel"/> on rows of its own.</summary>
public static unsafe class AttentionSpeed
{
    /// <summary>Operations of one call, a multiply-add being two: of the products of rows with keys that they see.</summary>
    public static double Operations(AttentionForm form, int sequences, int length, int heads, int headDim)
    {
        double pairs = form == AttentionForm.Decode ? length : length * (length + 1.0) / 2;
        // forward: scores and values; backward: those of scores again, and of four derivatives
        return (form == AttentionForm.Backward ? 5 : 2) * 2.0 * headDim * heads * sequences * pairs;
    }

    /// <summary>Bytes that one call has to read or write: queries, keys, values, results, and for the derivative those of each.</summary>
    public static double Bytes(AttentionForm form, int sequences, int length, int heads, int kvHeads, int headDim)
    {
        double rows = form == AttentionForm.Decode ? 1 : length;
        return (form == AttentionForm.Backward ? 2 : 1) * 4.0 * headDim * sequences * (2 * heads * rows + 2.0 * kvHeads * length);
    }

    /// <summary>The median seconds of one call over sequences of the same length.</summary>
    public static double Median(AttentionForm form, int sequences, int length, int heads, int kvHeads, int headDim, int threads, double seconds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(Math.Min(sequences, length), Math.Min(kvHeads, headDim)), 1);
        if (heads % kvHeads != 0)
            throw new ArgumentException($"{heads} heads do not share {kvHeads} key heads evenly");
        bool decode = form == AttentionForm.Decode;
        int keys = checked(sequences * length), queries = decode ? sequences : keys;
        long wide = (long)heads * headDim, narrow = (long)kvHeads * headDim;
        float* q = MeasuredMatrix.New(queries * wide), k = MeasuredMatrix.New(keys * narrow), v = MeasuredMatrix.New(keys * narrow), y = MeasuredMatrix.New(queries * wide);
        float* dq = MeasuredMatrix.New(queries * wide), dk = MeasuredMatrix.New(keys * narrow), dv = MeasuredMatrix.New(keys * narrow), sums = MeasuredMatrix.New((long)queries * heads);
        int* first = (int*)MeasuredMatrix.New(queries), last = (int*)MeasuredMatrix.New(queries);
        int before = ComputePool.Threads;
        try
        {
            for (int i = 0; i < queries; i++)
            {
                int sequence = decode ? i : i / length;
                (first[i], last[i]) = (sequence * length, decode ? (sequence + 1) * length : i + 1);
            }
            AttentionCall call = new()
            {
                Q = q, LdQ = wide, K = k, LdK = narrow, V = v, LdV = narrow, Out = y, LdOut = wide,
                LogSumExp = form is AttentionForm.Forward or AttentionForm.Backward ? sums : null,
                Queries = queries, Keys = keys, Heads = heads, KvHeads = kvHeads, HeadDim = headDim, ValueDim = headDim, First = first, Last = last,
                Scale = 1 / MathF.Sqrt(headDim),
            };
            AttentionCall[] calls = new AttentionCall[decode ? sequences : 1];
            Array.Fill(calls, call);
            for (int i = 0; decode && i < sequences; i++)
            {
                ref AttentionCall one = ref calls[i];
                one.Q = q + i * wide;
                one.Out = y + i * wide;
                one.K = k + i * length * narrow;
                one.V = v + i * length * narrow;
                one.Queries = 1;
                one.Keys = length;
            }
            ComputePool.Threads = threads;
            List<double> times = [];
            long began = Stopwatch.GetTimestamp();
            fixed (AttentionCall* all = calls)
            {
                if (form == AttentionForm.Backward)
                    AttentionKernel.ForwardBatch(all, 1);
                for (int run = 0; run < 7 || Stopwatch.GetElapsedTime(began).TotalSeconds < seconds; run++)
                {
                    long start = Stopwatch.GetTimestamp();
                    if (form == AttentionForm.Backward)
                        AttentionKernel.Backward(call, q, wide, dq, wide, dk, narrow, dv, narrow, accumulateQ: false, accumulateKv: false);
                    else
                        AttentionKernel.ForwardBatch(all, calls.Length);
                    if (run >= 2)
                        times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }
            times.Sort();
            return times[times.Count / 2];
        }
        finally
        {
            ComputePool.Threads = before;
            foreach (nint memory in (nint[])[(nint)q, (nint)k, (nint)v, (nint)y, (nint)dq, (nint)dk, (nint)dv, (nint)sums, (nint)first, (nint)last])
                NativeMemory.AlignedFree((void*)memory);
        }
    }
}
