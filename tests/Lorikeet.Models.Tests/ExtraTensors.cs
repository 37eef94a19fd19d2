using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>The weights of a file, and some more.</summary>
internal sealed class ExtraTensors(ITensorSource file, params (string Name, Tensor Value)[] extra) : ITensorSource
{
    public string Description => file.Description;

    public IReadOnlyList<string> Names => [.. file.Names, .. extra.Select(tensor => tensor.Name)];

    public StoredTensor? Find(string name)
    {
        (string Name, Tensor Value) found = extra.FirstOrDefault(tensor => tensor.Name == name);
        return found.Value is null ? file.Find(name) : new StoredTensor(name, DType.F32, found.Value.Shape.ToArray(), found.Value.Contents);
    }

    public void Dispose() => file.Dispose();
}
