using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Attention forward and backward; no queries × keys matrix is ever held. See <see cref="AttentionCall"/> for the formula.</summary>
public static unsafe class AttentionKernel
{
    /// <summary>Fills <see cref="AttentionCall.Out"/> and, where wanted, <see cref="AttentionCall.LogSumExp"/>.</summary>
    public static void Forward(in AttentionCall call)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            AttentionReference.Forward(in call);
            return;
        }
        fixed (AttentionCall* one = &call)
            ForwardBatch(one, 1);
    }

    /// <summary>Runs many calls as one parallel job: decoding, where each sequence has key and value memory of its own.</summary>
    public static void ForwardBatch(AttentionCall* calls, int count)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            for (int i = 0; i < count; i++)
                AttentionReference.Forward(calls[i]);
            return;
        }
        long planBytes = ((long)count * sizeof(AttentionPlan) + 63) & ~63L, floats = 0;
        AttentionPlan* plans = (AttentionPlan*)CallScratch.Rent(planBytes);
        int parts = 0, blocks = 0;
        for (int i = 0; i < count; i++)
        {
            plans[i] = AttentionPlan.Of(calls[i]);
            (plans[i].FirstPart, plans[i].FirstBlock, plans[i].Partials) = (parts, blocks, floats);
            parts += plans[i].Parts(calls[i]);
            blocks += plans[i].QueryBlocks * calls[i].KvHeads;
            if (plans[i].Splits > 1)
                floats += plans[i].SharedFloats(calls[i]);
        }
        byte* shared = CallScratch.Extend(planBytes, floats * sizeof(float));
        AttentionForwardJob job = new() { Calls = calls, Plans = (AttentionPlan*)shared, Count = count, Shared = (float*)(shared + planBytes), Tier = VectorJob.ProductTier };
        VectorJob.Run(&job, parts);
        if (floats == 0)
            return;
        AttentionCombineJob combine = new() { Calls = calls, Plans = job.Plans, Count = count, Shared = job.Shared };
        VectorJob.Run(&combine, blocks);
    }

    /// <summary>
    /// Derivative of <see cref="Forward"/>; reads <see cref="AttentionCall.Out"/> and <see cref="AttentionCall.LogSumExp"/> of the forward pass.
    /// </summary>
    /// <param name="call">The forward call.</param>
    /// <param name="dOut"><c>[queries, heads, valueDim]</c>.</param>
    /// <param name="lddOut">Elements between rows of dOut.</param>
    /// <param name="dQ"><c>[queries, heads, headDim]</c>, or null where it is not wanted.</param>
    /// <param name="lddQ">Elements between rows of dQ.</param>
    /// <param name="dK"><c>[keys, kvHeads, headDim]</c>, or null where it is not wanted.</param>
    /// <param name="lddK">Elements between rows of dK.</param>
    /// <param name="dV"><c>[keys, kvHeads, valueDim]</c>, or null where it is not wanted.</param>
    /// <param name="lddV">Elements between rows of dV.</param>
    /// <param name="accumulateQ">Adds to what dQ holds.</param>
    /// <param name="accumulateKv">Adds to what dK and dV hold.</param>
    public static void Backward(in AttentionCall call, float* dOut, long lddOut, float* dQ, long lddQ, float* dK, long lddK,
        float* dV, long lddV, bool accumulateQ, bool accumulateKv)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            AttentionReference.Backward(in call, dOut, lddOut, dQ, lddQ, dK, lddK, dV, lddV, accumulateQ, accumulateKv);
            return;
        }
        // the segments, which say how many blocks there are; then what their parts share
        long segmentBytes = (long)call.Queries * sizeof(AttentionSegment), numbers = (long)call.Queries * call.Heads * sizeof(float);
        byte* shared = CallScratch.Rent(segmentBytes + (call.Queries + 1L) * sizeof(int));
        int segments = AttentionSegment.Find(call, AttentionBackwardJob.BlockQueries, AttentionBackwardJob.BlockKeys, (AttentionSegment*)shared, (int*)(shared + segmentBytes),
            out int queryBlocks, out int keyBlocks);
        if (!accumulateQ && dQ != null)
            ClearUnseeing(call, dQ, lddQ);
        if (!accumulateKv)
            ClearUnseen(call, (AttentionSegment*)shared, segments, dK, lddK, dV, lddV);
        if (segments == 0)
            return;
        long turns = (long)queryBlocks * call.Heads;
        shared = CallScratch.Extend(segmentBytes, numbers + turns * sizeof(int));
        fixed (AttentionCall* one = &call)
        {
            AttentionBackwardJob job = new()
            {
                Call = one, DOut = dOut, LddOut = lddOut, DQ = dQ, LddQ = lddQ, DK = dK, LddK = lddK, DV = dV, LddV = lddV,
                AccumulateQ = accumulateQ, AccumulateKv = accumulateKv,
                Segments = (AttentionSegment*)shared, SegmentCount = segments, Delta = (float*)(shared + segmentBytes), Turns = (int*)(shared + segmentBytes + numbers),
                Tier = VectorJob.ProductTier,
            };
            new Span<int>(job.Turns, checked((int)turns)).Clear();
            int partRows = VectorJob.PartRows(call.Queries, (long)call.Heads * call.ValueDim, VectorJob.Grain);
            AttentionDeltaJob deltas = new()
            {
                DOut = dOut, LddOut = lddOut, Out = call.Out, LdOut = call.LdOut, Delta = job.Delta,
                Queries = call.Queries, Heads = call.Heads, Dim = call.ValueDim, PartRows = partRows,
            };
            VectorJob.Run(&deltas, (call.Queries + partRows - 1) / partRows);
            VectorJob.Run(&job, keyBlocks * call.KvHeads);
        }
    }

    /// <summary>Clears the derivatives of queries that see no key: no part writes them.</summary>
    private static void ClearUnseeing(in AttentionCall call, float* dQ, long lddQ)
    {
        for (int i = 0; i < call.Queries; i++)
        {
            if (call.First[i] >= call.Last[i])
                new Span<float>(dQ + i * lddQ, call.Heads * call.HeadDim).Clear();
        }
    }

    /// <summary>Clears the derivatives of keys and values that lie between segments: no part writes them.</summary>
    private static void ClearUnseen(in AttentionCall call, AttentionSegment* segments, int count, float* dK, long lddK, float* dV, long lddV)
    {
        int key = 0;
        for (int s = 0; s <= count; s++)
        {
            for (int end = s < count ? segments[s].Key : call.Keys; key < end; key++)
            {
                if (dK != null)
                    new Span<float>(dK + key * lddK, call.KvHeads * call.HeadDim).Clear();
                if (dV != null)
                    new Span<float>(dV + key * lddV, call.KvHeads * call.ValueDim).Clear();
            }
            if (s < count)
                key = segments[s].Key + segments[s].Keys;
        }
    }
}
