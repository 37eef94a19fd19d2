using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

/// <summary>A gradient from above and room for the three derivatives of one attention call.</summary>
internal sealed unsafe class Gradients : IDisposable
{
    private readonly AttentionCase _case;

    public Gradients(AttentionCase c)
    {
        _case = c;
        (LdQ, LdK, LdV) = (c.Call.Heads * c.Call.HeadDim + 1, c.Call.KvHeads * c.Call.HeadDim + 2, c.Call.KvHeads * c.Call.ValueDim + 3);
        Out = FloatBlock.Random(99, c.Call.Queries * c.Call.LdOut);
        Q = FloatBlock.Random(100, c.Call.Queries * LdQ);
        K = FloatBlock.Random(101, c.Call.Keys * LdK);
        V = FloatBlock.Random(102, c.Call.Keys * LdV);
    }

    public long LdQ { get; }

    public long LdK { get; }

    public long LdV { get; }

    public FloatBlock Out { get; }

    public FloatBlock Q { get; }

    public FloatBlock K { get; }

    public FloatBlock V { get; }

    public void Run(bool accumulate, bool q = true, bool k = true, bool v = true)
        => AttentionKernel.Backward(_case.Call, Out, _case.Call.LdOut, q ? Q.P : null, LdQ, k ? K.P : null, LdK, v ? V.P : null, LdV, accumulate, accumulate);

    public void RunReference(bool accumulate)
        => AttentionReference.Backward(_case.Call, Out, _case.Call.LdOut, Q, LdQ, K, LdK, V, LdV, accumulate, accumulate);

    public void CopyFrom(Gradients other)
    {
        other.Q.Span.CopyTo(Q.Span);
        other.K.Span.CopyTo(K.Span);
        other.V.Span.CopyTo(V.Span);
    }

    /// <summary>What accumulating the same derivatives once more gives.</summary>
    public void AddAgain(Gradients once)
    {
        VectorKernel.AxpyRows(1, once.Q, LdQ, Q, LdQ, _case.Call.Queries, _case.Call.Heads * _case.Call.HeadDim);
        VectorKernel.AxpyRows(1, once.K, LdK, K, LdK, _case.Call.Keys, _case.Call.KvHeads * _case.Call.HeadDim);
        VectorKernel.AxpyRows(1, once.V, LdV, V, LdV, _case.Call.Keys, _case.Call.KvHeads * _case.Call.ValueDim);
    }

    public void ShouldBeClose(Gradients expected, string what)
    {
        Q.ShouldBeClose(expected.Q, 2e-5, 5e-6, what + " dQ");
        K.ShouldBeClose(expected.K, 2e-5, 5e-6, what + " dK");
        V.ShouldBeClose(expected.V, 2e-5, 5e-6, what + " dV");
    }

    public void Dispose()
    {
        Out.Dispose();
        Q.Dispose();
        K.Dispose();
        V.Dispose();
    }
}
