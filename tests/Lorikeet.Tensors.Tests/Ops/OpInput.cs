using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>One tensor that an op is given.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Shape">Its sizes.</param>
internal sealed record OpInput(string Name, Shape Shape)
{
    /// <summary>False where the op never makes a derivative for it.</summary>
    public bool Differentiable { get; init; } = true;

    /// <summary>True where the op refuses rows with gaps between them.</summary>
    public bool Gapless { get; init; }

    /// <summary>Its storage; anything but f32 is never differentiated.</summary>
    public DType Type { get; init; } = DType.F32;

    /// <summary>Turns a number between -1 and 1 into an element.</summary>
    public Func<float, float> Element { get; init; } = x => x;

    /// <summary>As many numbers as there are elements, the same for the same seed.</summary>
    public float[] Values(int seed)
    {
        Random random = new(seed);
        float[] values = new float[Shape.Elements];
        for (int i = 0; i < values.Length; i++)
            values[i] = Element(random.NextSingle() * 2 - 1);
        return values;
    }
}
