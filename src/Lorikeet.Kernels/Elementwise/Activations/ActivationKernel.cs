using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Activations, alone and gated (GLU: <c>act(gate) * up</c>), with their derivatives. Relative error about 3e-7.</summary>
public static unsafe class ActivationKernel
{
    // elements of exponentials worth a second thread
    private const int Grain = VectorJob.Grain / 4;

    /// <summary><c>y[i] = act(x[i])</c>; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Forward(Activation activation, float* x, float* y, long n)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            ActivationReference.Forward(activation, x, y, n);
            return;
        }
        ForwardVisitor visitor = new() { X = x, Y = y, N = n };
        Dispatch(activation, ref visitor);
    }

    /// <summary><c>dx[i] (+)= dy[i] * act'(x[i])</c>; <paramref name="dx"/> may be <paramref name="dy"/>.</summary>
    public static void Backward(Activation activation, float* dy, float* x, float* dx, bool accumulate, long n)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            ActivationReference.Backward(activation, dy, x, dx, accumulate, n);
            return;
        }
        BackwardVisitor visitor = new() { Dy = dy, X = x, Dx = dx, N = n, Accumulate = accumulate };
        Dispatch(activation, ref visitor);
    }

    /// <summary><c>y = act(gate) * up</c> for <c>[rows, dim]</c>; <paramref name="y"/> may be one of the inputs.</summary>
    public static void GatedForward(Activation activation, float* gate, long ldg, float* up, long ldu, float* y, long ldy, int rows, int dim)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            ActivationReference.GatedForward(activation, gate, ldg, up, ldu, y, ldy, rows, dim);
            return;
        }
        GatedForwardVisitor visitor = new() { Gate = gate, Ldg = ldg, Up = up, Ldu = ldu, Y = y, Ldy = ldy, Rows = rows, Dim = dim };
        Dispatch(activation, ref visitor);
    }

    /// <summary>
    /// Derivative of <see cref="GatedForward"/>: <c>dGate = dy * up * act'(gate)</c>, <c>dUp = dy * act(gate)</c>.
    /// The outputs may lie where the inputs do (each element is read before it is written).
    /// </summary>
    public static void GatedBackward(Activation activation, float* dy, long lddy, float* gate, long ldg, float* up, long ldu,
        float* dGate, long lddg, float* dUp, long lddu, int rows, int dim)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            ActivationReference.GatedBackward(activation, dy, lddy, gate, ldg, up, ldu, dGate, lddg, dUp, lddu, rows, dim);
            return;
        }
        GatedBackwardVisitor visitor = new()
        {
            Dy = dy, Lddy = lddy, Gate = gate, Ldg = ldg, Up = up, Ldu = ldu, DGate = dGate, Lddg = lddg, DUp = dUp, Lddu = lddu,
            Rows = rows, Dim = dim,
        };
        Dispatch(activation, ref visitor);
    }

    private static void Dispatch<TVisitor>(Activation activation, ref TVisitor visitor)
        where TVisitor : struct, IActivationVisitor
    {
        switch (activation)
        {
            case Activation.Silu: visitor.Visit<Silu>(); break;
            case Activation.Gelu: visitor.Visit<Gelu>(); break;
            case Activation.GeluTanh: visitor.Visit<GeluTanh>(); break;
            case Activation.Relu: visitor.Visit<Relu>(); break;
            case Activation.QuickGelu: visitor.Visit<QuickGelu>(); break;
            case Activation.Sigmoid: visitor.Visit<Sigmoid>(); break;
            case Activation.Tanh: visitor.Visit<Tanh>(); break;
            case Activation.ReluSquared: visitor.Visit<ReluSquared>(); break;
            case Activation.Identity: visitor.Visit<Identity>(); break;
            default: throw new ArgumentOutOfRangeException(nameof(activation), activation, "no such activation");
        }
    }

    private struct ForwardVisitor : IActivationVisitor
    {
        public float* X, Y;
        public long N;

        public readonly void Visit<TActivation>()
            where TActivation : struct, IActivation
            => RowJob<ActivationForward<TActivation>>.Run(X, 0, null, 0, null, 0, Y, 0, 0, 1, N, Grain);
    }

    private struct BackwardVisitor : IActivationVisitor
    {
        public float* Dy, X, Dx;
        public long N;
        public bool Accumulate;

        public readonly void Visit<TActivation>()
            where TActivation : struct, IActivation
        {
            if (Accumulate)
                RowJob<ActivationBackwardAdd<TActivation>>.Run(Dy, 0, X, 0, Dx, 0, Dx, 0, 0, 1, N, Grain);
            else
                RowJob<ActivationBackward<TActivation>>.Run(Dy, 0, X, 0, null, 0, Dx, 0, 0, 1, N, Grain);
        }
    }

    private struct GatedForwardVisitor : IActivationVisitor
    {
        public float* Gate, Up, Y;
        public long Ldg, Ldu, Ldy;
        public int Rows, Dim;

        public readonly void Visit<TActivation>()
            where TActivation : struct, IActivation
            => RowJob<ActivationGate<TActivation>>.Run(Gate, Ldg, Up, Ldu, null, 0, Y, Ldy, 0, Rows, Dim, Grain);
    }

    private struct GatedBackwardVisitor : IActivationVisitor
    {
        public float* Dy, Gate, Up, DGate, DUp;
        public long Lddy, Ldg, Ldu, Lddg, Lddu;
        public int Rows, Dim;

        public readonly void Visit<TActivation>()
            where TActivation : struct, IActivation
        {
            if (Rows <= 0 || Dim <= 0)
                return;
            int partRows = VectorJob.PartRows(Rows, Dim, Grain);
            GatedBackwardJob<TActivation> job = new()
            {
                Dy = Dy, Lddy = Lddy, Gate = Gate, Ldg = Ldg, Up = Up, Ldu = Ldu, DGate = DGate, Lddg = Lddg, DUp = DUp, Lddu = Lddu,
                Rows = Rows, Dim = Dim, PartRows = partRows,
            };
            VectorJob.Run(&job, (Rows + partRows - 1) / partRows);
        }
    }
}
