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
    private readonly Dictionary<string, int[]> _ofBlock;

    /// <summary>Moves the parameters into flat memory; from then on the layers read them there.</summary>
    /// <param name="parameters">What to train, in any order; each once. They need not be marked as trainable: they are from now on.</param>
    /// <param name="blocks">
    /// Paths of modules whose parameters are updated as soon as their gradients are complete: these share one stretch of memory, as long as the largest of
    /// the modules needs. Empty where all gradients are to be there together.
    /// </param>
    public Trainables(IReadOnlyList<Parameter> parameters, IReadOnlyCollection<string>? blocks = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Parameters = [.. parameters.Where(Decays), .. parameters.Where(parameter => !Decays(parameter))];
        foreach (Parameter parameter in Parameters)
        {
            Count += parameter.Shape.Elements;
            if (Decays(parameter))
                Decaying = Count;
        }
        (long[] places, long grads, _ofBlock) = PlaceGrads(Parameters, blocks ?? []);
        Shape flat = FlatShape(Count), flatGrads = FlatShape(grads);
        NativeBuffer values = new(flat.Elements * sizeof(float), zeroed: false), gradients = new(flatGrads.Elements * sizeof(float));
        Values = Tensor.FromBytes(values.Bytes, DType.F32, flat);
        Grads = Tensor.FromBytes(gradients.Bytes, DType.F32, flatGrads);
        long at = 0;
        for (int i = 0; i < places.Length; i++)
        {
            long bytes = Parameters[i].Shape.Elements * sizeof(float);
            Parameters[i].MoveTo(values.Bytes.Slice(at, bytes), gradients.Bytes.Slice(places[i] * sizeof(float), bytes));
            at += bytes;
        }
    }

    /// <summary>In the order of their memory.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Numbers in all.</summary>
    public long Count { get; }

    /// <summary>How many of them, from the start, decay.</summary>
    public long Decaying { get; }

    /// <summary>All values, one after another in one flat buffer, of which nothing beyond <see cref="Count"/> is used.</summary>
    public Tensor Values { get; }

    /// <summary>All gradients, laid out as <see cref="Values"/> unless blocks share theirs.</summary>
    public Tensor Grads { get; }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGrads() => Grads.Fill(0);

    /// <summary>True where blocks share the memory of their gradients, and have to be updated one by one.</summary>
    public bool SharesGradients => _ofBlock.Count > 0;

    /// <summary>The parameters below one of the blocks that share memory, by their place in <see cref="Parameters"/>.</summary>
    public IReadOnlyList<int> OfBlock(string path) => _ofBlock.GetValueOrDefault(path) ?? [];

    /// <summary>The first parameter whose values (or gradients) hold a NaN or an infinity, or null.</summary>
    public Parameter? FirstNonFinite(bool gradients) =>
        Parameters.FirstOrDefault(parameter => (gradients ? parameter.Grad! : parameter.Value).FirstNonFinite() >= 0);

    /// <summary>Whether weight decay acts on a parameter.</summary>
    public static bool Decays(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter.Shape.Rank > 1;
    }

    /// <summary>One row of numbers; of more than a row can have, rows that end beyond the last one.</summary>
    internal static Shape FlatShape(long count)
    {
        const int row = 1 << 20;
        return count <= int.MaxValue ? new Shape((int)count) : new Shape(checked((int)((count + row - 1) / row)), row);
    }

    /// <summary>How many numbers the gradients of parameters take, of which those of a block share memory with those of the others.</summary>
    internal static long GradientsOf(IReadOnlyList<Parameter> parameters, IReadOnlyCollection<string> blocks) => PlaceGrads(parameters, blocks).Total;

    // first those that have memory of their own, behind them what blocks share
    private static (long[] Places, long Total, Dictionary<string, int[]> OfBlock) PlaceGrads(IReadOnlyList<Parameter> parameters, IReadOnlyCollection<string> blocks)
    {
        long[] places = new long[parameters.Count];
        Dictionary<string, int[]> ofBlock = new(StringComparer.Ordinal);
        string?[] owners = [.. parameters.Select(parameter => blocks.FirstOrDefault(block => parameter.Name.StartsWith(block + ".", StringComparison.Ordinal)))];
        long own = 0, most = 0;
        for (int i = 0; i < places.Length; i++)
        {
            if (owners[i] is not null)
                continue;
            places[i] = own;
            own += parameters[i].Shape.Elements;
        }
        foreach (IGrouping<string, int> block in Enumerable.Range(0, places.Length).Where(i => owners[i] is not null).GroupBy(i => owners[i]!))
        {
            ofBlock[block.Key] = [.. block];
            long at = own;
            foreach (int i in block)
            {
                places[i] = at;
                at += parameters[i].Shape.Elements;
            }
            most = Math.Max(most, at - own);
        }
        return (places, own + most, ofBlock);
    }
}
