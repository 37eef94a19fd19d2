using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Attention forward and backward; no queries × keys matrix is ever held. See <see cref="AttentionCall"/> for the formula.</summary>
public static unsafe class AttentionKernel
{
    /// <summary>Fills <see cref="AttentionCall.Out"/> and, where wanted, <see cref="AttentionCall.LogSumExp"/>.</summary>
    public static void Forward(in AttentionCall call) => AttentionReference.Forward(call);

    /// <summary>Runs many calls as one parallel job: decoding, where each sequence has key and value memory of its own.</summary>
    public static void ForwardBatch(AttentionCall* calls, int count)
    {
        for (int i = 0; i < count; i++)
            AttentionReference.Forward(calls[i]);
    }

    /// <summary>
    /// Derivative of <see cref="Forward"/>; reads <see cref="AttentionCall.Out"/> and <see cref="AttentionCall.LogSumExp"/> of the forward pass.
    /// </summary>
    /// <param name="call">The forward call.</param>
    /// <param name="dOut"><c>[queries, heads, valueDim]</c>.</param>
    /// <param name="lddOut">Elements between rows of dOut.</param>
    /// <param name="dQ"><c>[queries, heads, headDim]</c>.</param>
    /// <param name="lddQ">Elements between rows of dQ.</param>
    /// <param name="dK"><c>[keys, kvHeads, headDim]</c>.</param>
    /// <param name="lddK">Elements between rows of dK.</param>
    /// <param name="dV"><c>[keys, kvHeads, valueDim]</c>.</param>
    /// <param name="lddV">Elements between rows of dV.</param>
    /// <param name="accumulateQ">Adds to what dQ holds.</param>
    /// <param name="accumulateKv">Adds to what dK and dV hold.</param>
    public static void Backward(in AttentionCall call, float* dOut, long lddOut, float* dQ, long lddQ, float* dK, long lddK,
        float* dV, long lddV, bool accumulateQ, bool accumulateKv)
        => AttentionReference.Backward(call, dOut, lddOut, dQ, lddQ, dK, lddK, dV, lddV, accumulateQ, accumulateKv);
}
