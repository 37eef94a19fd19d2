using Lorikeet.Kernels;

namespace Lorikeet.Nn;

/// <summary>What configurations of models and adapters call activations.</summary>
public static class ActivationNames
{
    // the first name of each is the one that is written
    private static readonly (string Name, Activation Activation)[] Names =
    [
        ("silu", Activation.Silu),
        ("swish", Activation.Silu),
        ("gelu", Activation.Gelu),
        ("gelu_pytorch_tanh", Activation.GeluTanh),
        ("gelu_new", Activation.GeluTanh),
        ("gelu_fast", Activation.GeluTanh),
        ("quick_gelu", Activation.QuickGelu),
        ("relu", Activation.Relu),
        ("relu2", Activation.ReluSquared),
        ("tanh", Activation.Tanh),
        ("sigmoid", Activation.Sigmoid),
    ];

    /// <summary>Every name.</summary>
    public static IEnumerable<string> All => Names.Select(entry => entry.Name);

    /// <summary>The activation of a name, or null where it is not known.</summary>
    public static Activation? Find(string name)
    {
        foreach ((string known, Activation activation) in Names)
        {
            if (known == name)
                return activation;
        }
        return null;
    }

    /// <summary>The name that current releases of transformers write.</summary>
    /// <exception cref="ArgumentException">It has none.</exception>
    public static string NameOf(Activation activation)
    {
        foreach ((string name, Activation known) in Names)
        {
            if (known == activation)
                return name;
        }
        throw new ArgumentException($"{activation} has no name in configurations");
    }
}
