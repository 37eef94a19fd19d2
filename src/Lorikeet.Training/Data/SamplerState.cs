namespace Lorikeet.Training;

/// <summary>How far a run has come in its data; a checkpoint holds it, and training goes on from it as if it had never stopped.</summary>
/// <param name="Seed">The seed of the order.</param>
/// <param name="BatchSize">Items of a batch.</param>
/// <param name="Order">The kind of order.</param>
/// <param name="Epoch">Passes completed.</param>
/// <param name="Batches">Batches taken in this pass.</param>
/// <param name="Data">The fingerprint of the data.</param>
public sealed record SamplerState(int Seed, int BatchSize, RowOrder Order, int Epoch, int Batches, ulong Data);
