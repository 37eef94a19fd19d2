using Lorikeet.Kernels;

namespace Lorikeet.Formats;

/// <summary>The storages that a model's matrices are turned into as it is loaded. A type alone stands for the matrices that it suits.</summary>
/// <param name="Matrices">Storage of every matrix that <see cref="WeightStorage.Suits"/> says; null leaves them as they are.</param>
/// <param name="Embeddings">Storage of tables that are looked up and of heads, of a tied model one and the same; null leaves them to <paramref name="Matrices"/>.</param>
public readonly record struct ModelStorage(DType? Matrices, DType? Embeddings = null)
{
    /// <summary>One storage for all that it suits.</summary>
    public static implicit operator ModelStorage(DType matrices) => FromDType(matrices);

    /// <summary>One storage for all that it suits.</summary>
    public static ModelStorage FromDType(DType matrices) => new(matrices);

    /// <summary>The storage that a tensor is turned into; null where it stays as it is.</summary>
    /// <param name="name">As the checkpoint has it.</param>
    /// <param name="rank">Number of its sizes.</param>
    public DType? Of(string name, int rank)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Embeddings is not null && rank == 2 && name.EndsWith(".weight", StringComparison.Ordinal) && WeightStorage.IsTable(name))
            return Embeddings;
        return Matrices is { } type && WeightStorage.Suits(type, name, rank) ? type : null;
    }
}
