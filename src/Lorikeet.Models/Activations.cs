using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;

namespace Lorikeet.Models;

/// <summary>Activations of a model's configuration.</summary>
internal static class Activations
{
    public static Activation Read(JsonConfig config, string field, string fallback)
    {
        string name = config.Text(field, fallback);
        if (ActivationNames.Find(name) is { } activation)
            return activation;
        config.Report(field, $"one of {string.Join(", ", ActivationNames.All)} was expected, found \"{name}\"");
        return Activation.Silu;
    }
}
