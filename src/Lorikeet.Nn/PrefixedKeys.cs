using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>Keys of a pass with learned rows before each sequence.</summary>
/// <param name="Source">For each key in its new order the row of the pass that it is, or <c>~i</c> for learned row i; i32.</param>
/// <param name="Range">What each query row sees of them.</param>
public readonly record struct PrefixedKeys(Tensor Source, KeyRange Range);
