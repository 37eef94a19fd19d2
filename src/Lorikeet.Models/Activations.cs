using Lorikeet.Kernels;

namespace Lorikeet.Models;

/// <summary>Names of activations in configurations.</summary>
internal static class Activations
{
    public static Activation Read(ConfigReader config, string field, string fallback)
    {
        string name = config.Text(field, fallback);
        switch (name)
        {
            case "silu" or "swish":
                return Activation.Silu;
            case "gelu":
                return Activation.Gelu;
            case "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast":
                return Activation.GeluTanh;
            case "quick_gelu":
                return Activation.QuickGelu;
            case "relu":
                return Activation.Relu;
            case "relu2":
                return Activation.ReluSquared;
            case "tanh":
                return Activation.Tanh;
            case "sigmoid":
                return Activation.Sigmoid;
            default:
                config.Problem(field, $"one of silu, gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, relu2, tanh, sigmoid was expected, found \"{name}\"");
                return Activation.Silu;
        }
    }
}
