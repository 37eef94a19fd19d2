namespace Lorikeet.Tensors.Tests;

/// <summary>What came out of a run.</summary>
/// <param name="Output">All elements, of all repeats.</param>
/// <param name="Gradients">Of each input; null where none was made.</param>
/// <param name="Recorded">True where the op noted itself.</param>
/// <param name="Counter">How far the stream of random numbers was used.</param>
internal sealed record OpResult(float[] Output, float[]?[] Gradients, bool Recorded, ulong Counter);
