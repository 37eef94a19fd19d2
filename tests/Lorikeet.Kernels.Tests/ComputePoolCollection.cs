namespace Lorikeet.Kernels.Tests;

/// <summary>Tests that need the whole pool, or change its size, run alone: a job that finds the pool busy runs on its caller.</summary>
[CollectionDefinition(nameof(ComputePool), DisableParallelization = true)]
public sealed class ComputePoolCollection;
