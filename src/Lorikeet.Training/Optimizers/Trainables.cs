using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// Everything that a run trains, in one stretch of memory: values in one buffer, gradients in another, so that the optimiser, clipping, zeroing
/// and checkpoints are single loops. Weights that decay stand first, then those that do not (norms, biases and other vectors).
/// </summary>
public sealed class Trainables
{
    /// <summary>Moves the parameters into flat memory; from then on the layers read them there.</summary>
    /// <param name="parameters">What to train, in any order; each once. They need not be marked as trainable: they are from now on.</param>
    public Trainables(IReadOnlyList<Parameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Parameters = [.. parameters.Where(Decays), .. parameters.Where(parameter => !Decays(parameter))];
        long total = 0;
        foreach (Parameter parameter in Parameters)
        {
            total += parameter.Shape.Elements;
            if (Decays(parameter))
                Decaying = total;
        }
        Count = total;
        NativeBuffer values = new(total * sizeof(float), zeroed: false), grads = new(total * sizeof(float));
        Values = Flat(values, total);
        Grads = Flat(grads, total);
        long at = 0;
        foreach (Parameter parameter in Parameters)
        {
            long bytes = parameter.Shape.Elements * sizeof(float);
            parameter.MoveTo(values.Bytes.Slice(at, bytes), grads.Bytes.Slice(at, bytes));
            at += bytes;
        }
    }

    /// <summary>In the order of their memory.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Numbers in all.</summary>
    public long Count { get; }

    /// <summary>How many of them, from the start, decay.</summary>
    public long Decaying { get; }

    /// <summary>All values, <c>[rows, columns]</c> of one flat buffer.</summary>
    public Tensor Values { get; }

    /// <summary>All gradients, laid out as <see cref="Values"/>.</summary>
    public Tensor Grads { get; }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGrads() => Grads.Fill(0);

    /// <summary>The first parameter whose values (or gradients) hold a NaN or an infinity, or null.</summary>
    public Parameter? FirstNonFinite(bool gradients) =>
        Parameters.FirstOrDefault(parameter => (gradients ? parameter.Grad! : parameter.Value).FirstNonFinite() >= 0);

    internal static Tensor Flat(NativeBuffer buffer, long count) => Tensor.FlatFromBytes(buffer.Bytes.Slice(0, count * sizeof(float)), DType.F32);

    private static bool Decays(Parameter parameter) => parameter.Shape.Rank > 1;
}
