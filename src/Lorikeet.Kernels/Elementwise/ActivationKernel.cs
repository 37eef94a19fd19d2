using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Activations, alone and gated (GLU: <c>act(gate) * up</c>), with their derivatives.</summary>
public static unsafe class ActivationKernel
{
    /// <summary><c>y[i] = act(x[i])</c>; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Forward(Activation activation, float* x, float* y, long n)
        => ActivationReference.Forward(activation, x, y, n);

    /// <summary><c>dx[i] (+)= dy[i] * act'(x[i])</c>; <paramref name="dx"/> may be <paramref name="dy"/>.</summary>
    public static void Backward(Activation activation, float* dy, float* x, float* dx, bool accumulate, long n)
        => ActivationReference.Backward(activation, dy, x, dx, accumulate, n);

    /// <summary><c>y = act(gate) * up</c> for <c>[rows, dim]</c>; <paramref name="y"/> may be one of the inputs.</summary>
    public static void GatedForward(Activation activation, float* gate, long ldg, float* up, long ldu, float* y, long ldy, int rows, int dim)
        => ActivationReference.GatedForward(activation, gate, ldg, up, ldu, y, ldy, rows, dim);

    /// <summary>
    /// Derivative of <see cref="GatedForward"/>: <c>dGate (+)= dy * up * act'(gate)</c>, <c>dUp (+)= dy * act(gate)</c>.
    /// The outputs may lie where the inputs do (each element is read before it is written).
    /// </summary>
    public static void GatedBackward(Activation activation, float* dy, long lddy, float* gate, long ldg, float* up, long ldu,
        float* dGate, long lddg, float* dUp, long lddu, bool accumulate, int rows, int dim)
        => ActivationReference.GatedBackward(activation, dy, lddy, gate, ldg, up, ldu, dGate, lddg, dUp, lddu, accumulate, rows, dim);
}
