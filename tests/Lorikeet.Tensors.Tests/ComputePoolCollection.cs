using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Tests that change the size of the pool run alone: a job that finds the pool busy runs on its caller.</summary>
[CollectionDefinition(nameof(ComputePool), DisableParallelization = true)]
public sealed class ComputePoolCollection;
