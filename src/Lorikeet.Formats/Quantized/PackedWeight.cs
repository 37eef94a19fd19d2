using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>One weight that a checkpoint keeps in several tensors.</summary>
/// <param name="Name">What the model calls it: <c>model.layers.0.mlp.up_proj.weight</c>.</param>
/// <param name="Parts">The tensors it is made of.</param>
/// <param name="Elements">How many numbers it holds.</param>
/// <param name="Make">Makes it; called once, when the model asks for it.</param>
internal sealed record PackedWeight(string Name, IReadOnlyList<string> Parts, long Elements, Func<StoredTensor> Make);
