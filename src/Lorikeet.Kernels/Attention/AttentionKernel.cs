using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Attention forward and backward; no queries × keys matrix is ever held. See <see cref="AttentionCall"/> for the formula.</summary>
public static unsafe class AttentionKernel
{
    /// <summary>Fills <see cref="AttentionCall.Out"/> and, where wanted, <see cref="AttentionCall.LogSumExp"/>.</summary>
    public static void Forward(in AttentionCall call)
    {
        fixed (AttentionCall* one = &call)
            ForwardBatch(one, 1);
    }

    /// <summary>Runs many calls as one parallel job: decoding, where each sequence has key and value memory of its own.</summary>
    public static void ForwardBatch(AttentionCall* calls, int count)
    {
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
                floats += plans[i].Parts(calls[i]) * plans[i].PartialFloats(calls[i]);
        }
        byte* shared = CallScratch.Extend(planBytes, floats * sizeof(float));
        AttentionForwardJob job = new() { Calls = calls, Plans = (AttentionPlan*)shared, Count = count, Shared = (float*)(shared + planBytes) };
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
        => AttentionReference.Backward(call, dOut, lddOut, dQ, lddQ, dK, lddK, dV, lddV, accumulateQ, accumulateKv);
}
