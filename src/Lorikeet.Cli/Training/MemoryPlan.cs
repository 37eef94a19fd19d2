using System.Globalization;
using Lorikeet.Training;

namespace Lorikeet.Cli.Training;

/// <summary>What memory a run will need.</summary>
/// <param name="Passes">How its passes are made.</param>
/// <param name="Description">The same in words.</param>
/// <param name="Weights">Of the frozen model, as stored.</param>
/// <param name="Trained">Values, gradients and two moments of what is trained.</param>
/// <param name="Activations">The largest pass at its worst moment.</param>
/// <param name="Program">Runtime, code and buffers of the products.</param>
internal sealed record MemoryPlan(PassPlan Passes, string Description, long Weights, long Trained, long Activations, long Program)
{
    /// <summary>The description of passes that take whole batches and keep everything.</summary>
    public const string AsAsked = "whole batches";

    /// <summary>All of it.</summary>
    public long Total => Weights + Trained + Activations + Program;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"weights {Weights / 1e6:N0}, trained weights and optimiser {Trained / 1e6:N0}, activations {Activations / 1e6:N0}, program {Program / 1e6:N0}");
}
