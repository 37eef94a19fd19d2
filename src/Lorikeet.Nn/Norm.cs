using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>A normalisation of each row, the place where norm tuning acts.</summary>
public abstract class Norm : Place<Norm, Tensor>
{
    /// <summary>A norm at this path.</summary>
    protected Norm(Weights weights, float epsilon) : base(weights) => Epsilon = epsilon;

    /// <summary>Added to the mean square or variance.</summary>
    public float Epsilon { get; }

    /// <summary><c>[dim]</c>.</summary>
    public abstract Parameter Weight { get; set; }

    /// <summary><c>[dim]</c>, or null.</summary>
    public abstract Parameter? Bias { get; set; }
}
