namespace Lorikeet.Kernels;

/// <summary>A function of one number, applied to each element.</summary>
public enum Activation
{
    /// <summary><c>x * sigmoid(x)</c>, also called swish.</summary>
    Silu,
    /// <summary><c>x * Phi(x)</c> with the exact normal distribution (through erf). Hendrycks and Gimpel 2016.</summary>
    Gelu,
    /// <summary><c>0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))</c>, what Hugging Face calls gelu_new and gelu_pytorch_tanh.</summary>
    GeluTanh,
    /// <summary><c>max(x, 0)</c>.</summary>
    Relu,
    /// <summary><c>x * sigmoid(1.702 x)</c>.</summary>
    QuickGelu,
    /// <summary><c>1 / (1 + exp(-x))</c>.</summary>
    Sigmoid,
    /// <summary>Hyperbolic tangent.</summary>
    Tanh,
    /// <summary><c>max(x, 0)^2</c>.</summary>
    ReluSquared,
    /// <summary><c>x</c>.</summary>
    Identity,
}
