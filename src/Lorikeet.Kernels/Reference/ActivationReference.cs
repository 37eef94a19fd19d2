namespace Lorikeet.Kernels.Reference;

/// <summary>The activations and their derivatives for one number, in double precision.</summary>
internal static unsafe class ActivationReference
{
    private const double Root2OverPi = 0.79788456080286535588;

    /// <summary>The function's value.</summary>
    public static double Value(Activation activation, double x) => activation switch
    {
        Activation.Silu => x * Sigmoid(x),
        Activation.Gelu => 0.5 * x * ErrorFunction.Erfc(-x / Math.Sqrt(2)),
        Activation.GeluTanh => x * Sigmoid(2 * Root2OverPi * (x + 0.044715 * x * x * x)),
        Activation.Relu => Math.Max(x, 0),
        Activation.QuickGelu => x * Sigmoid(1.702 * x),
        Activation.Sigmoid => Sigmoid(x),
        Activation.Tanh => Math.Tanh(x),
        Activation.ReluSquared => Math.Max(x, 0) * Math.Max(x, 0),
        Activation.Identity => x,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "no such activation"),
    };

    /// <summary>The derivative at <paramref name="x"/>.</summary>
    public static double Derivative(Activation activation, double x)
    {
        switch (activation)
        {
            case Activation.Silu:
                double s = Sigmoid(x);
                return s * (1 + x * (1 - s));
            case Activation.Gelu:
                return 0.5 * ErrorFunction.Erfc(-x / Math.Sqrt(2)) + x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
            case Activation.GeluTanh:
                double g = Sigmoid(2 * Root2OverPi * (x + 0.044715 * x * x * x));
                return g + x * g * (1 - g) * 2 * Root2OverPi * (1 + 3 * 0.044715 * x * x);
            case Activation.Relu:
                return x > 0 ? 1 : 0;
            case Activation.QuickGelu:
                double q = Sigmoid(1.702 * x);
                return q * (1 + 1.702 * x * (1 - q));
            case Activation.Sigmoid:
                return Sigmoid(x) * (1 - Sigmoid(x));
            case Activation.Tanh:
                return 1 - Math.Tanh(x) * Math.Tanh(x);
            case Activation.ReluSquared:
                return 2 * Math.Max(x, 0);
            case Activation.Identity:
                return 1;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "no such activation");
        }
    }

    /// <summary><c>y = act(x)</c>.</summary>
    public static void Forward(Activation activation, float* x, float* y, long n)
    {
        for (long i = 0; i < n; i++)
            y[i] = (float)Value(activation, x[i]);
    }

    /// <summary><c>dx (+)= dy * act'(x)</c>.</summary>
    public static void Backward(Activation activation, float* dy, float* x, float* dx, bool accumulate, long n)
    {
        for (long i = 0; i < n; i++)
            dx[i] = (accumulate ? dx[i] : 0) + (float)(dy[i] * Derivative(activation, x[i]));
    }

    /// <summary><c>y = act(gate) * up</c>.</summary>
    public static void GatedForward(Activation activation, float* gate, long ldg, float* up, long ldu, float* y, long ldy, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < dim; i++)
                y[r * ldy + i] = (float)(Value(activation, gate[r * ldg + i]) * up[r * ldu + i]);
    }

    /// <summary>Derivative of <see cref="GatedForward"/>.</summary>
    public static void GatedBackward(Activation activation, float* dy, long lddy, float* gate, long ldg, float* up, long ldu,
        float* dGate, long lddg, float* dUp, long lddu, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int i = 0; i < dim; i++)
            {
                double d = dy[r * lddy + i], g = gate[r * ldg + i], u = up[r * ldu + i];
                dGate[r * lddg + i] = (float)(d * u * Derivative(activation, g));
                dUp[r * lddu + i] = (float)(d * Value(activation, g));
            }
        }
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
