namespace Lorikeet.Kernels.Reference;

/// <summary>Attention by plain loops in double, one query row and head at a time.</summary>
internal static unsafe class AttentionReference
{
    /// <summary>See <see cref="AttentionKernel.Forward"/>.</summary>
    public static void Forward(in AttentionCall call)
    {
        int group = call.Heads / call.KvHeads;
        double[] p = new double[call.Keys];
        for (int i = 0; i < call.Queries; i++)
        {
            for (int h = 0; h < call.Heads; h++)
            {
                float* to = call.Out + i * call.LdOut + (long)h * call.ValueDim;
                double max = double.NegativeInfinity, sum = 0;
                for (int j = call.First[i]; j < call.Last[i]; j++)
                    max = Math.Max(max, p[j] = Score(call, i, h, j));
                for (int j = call.First[i]; j < call.Last[i]; j++)
                    sum += p[j] = Math.Exp(p[j] - max);
                if (call.LogSumExp != null)
                    call.LogSumExp[(long)i * call.Heads + h] = sum > 0 ? (float)(max + Math.Log(sum)) : float.NegativeInfinity;
                for (int d = 0; d < call.ValueDim; d++)
                {
                    double value = 0;
                    for (int j = call.First[i]; j < call.Last[i]; j++)
                        value += p[j] * Value(call, h / group, j, d);
                    to[d] = sum > 0 ? (float)(value / sum) : 0;
                }
            }
        }
    }

    /// <summary>See <see cref="AttentionKernel.Backward"/>.</summary>
    public static void Backward(in AttentionCall call, float* dOut, long lddOut, float* dQ, long lddQ, float* dK, long lddK,
        float* dV, long lddV, bool accumulateQ, bool accumulateKv)
    {
        int group = call.Heads / call.KvHeads;
        for (int i = 0; dQ != null && !accumulateQ && i < call.Queries; i++)
            new Span<float>(dQ + i * lddQ, call.Heads * call.HeadDim).Clear();
        for (int j = 0; dK != null && !accumulateKv && j < call.Keys; j++)
            new Span<float>(dK + j * lddK, call.KvHeads * call.HeadDim).Clear();
        for (int j = 0; dV != null && !accumulateKv && j < call.Keys; j++)
            new Span<float>(dV + j * lddV, call.KvHeads * call.ValueDim).Clear();
        for (int i = 0; i < call.Queries; i++)
        {
            for (int h = 0; h < call.Heads; h++)
            {
                int kv = h / group;
                float* q = call.Q + i * call.LdQ + (long)h * call.HeadDim;
                float* up = dOut + i * lddOut + (long)h * call.ValueDim;
                float* output = call.Out + i * call.LdOut + (long)h * call.ValueDim;
                double lse = call.LogSumExp[(long)i * call.Heads + h], carried = 0;
                for (int d = 0; d < call.ValueDim; d++)
                    carried += (double)up[d] * output[d];
                for (int j = call.First[i]; j < call.Last[i]; j++)
                {
                    double score = Score(call, i, h, j), p = Math.Exp(score - lse), dp = 0;
                    float* k = call.K + j * call.LdK + (long)kv * call.HeadDim;
                    float* v = call.V + j * call.LdV + (long)kv * call.ValueDim;
                    for (int d = 0; d < call.ValueDim; d++)
                        dp += (double)up[d] * v[d];
                    double ds = p * (dp - carried) * call.Scale;
                    if (call.SoftCap != 0)
                        ds *= 1 - score / call.SoftCap * (score / call.SoftCap);
                    for (int d = 0; dV != null && d < call.ValueDim; d++)
                        dV[j * lddV + (long)kv * call.ValueDim + d] += (float)(p * up[d]);
                    for (int d = 0; dQ != null && d < call.HeadDim; d++)
                        dQ[i * lddQ + (long)h * call.HeadDim + d] += (float)(ds * k[d]);
                    for (int d = 0; dK != null && d < call.HeadDim; d++)
                        dK[j * lddK + (long)kv * call.HeadDim + d] += (float)(ds * q[d]);
                }
            }
        }
    }

    private static double Score(in AttentionCall call, int i, int h, int j)
    {
        float* q = call.Q + i * call.LdQ + (long)h * call.HeadDim;
        double sum = 0;
        for (int d = 0; d < call.HeadDim; d++)
            sum += (double)q[d] * Key(call, h / (call.Heads / call.KvHeads), j, d);
        sum *= call.Scale;
        return call.SoftCap == 0 ? sum : call.SoftCap * Math.Tanh(sum / call.SoftCap);
    }

    private static float Key(in AttentionCall call, int head, int j, int d) => call.Pages == null
        ? call.K[j * call.LdK + (long)head * call.HeadDim + d]
        : KvReference.Read(call.Layout.Type, call.Pages[j / KvLayout.Rows] + call.Layout.KeysAt(call.Layer, head), j % KvLayout.Rows, call.HeadDim, d);

    private static float Value(in AttentionCall call, int head, int j, int d) => call.Pages == null
        ? call.V[j * call.LdV + (long)head * call.ValueDim + d]
        : KvReference.Read(call.Layout.Type, call.Pages[j / KvLayout.Rows] + call.Layout.ValuesAt(call.Layer, head), j % KvLayout.Rows, call.ValueDim, d);
}
