namespace Lorikeet.Kernels;

/// <summary>An activation in any vector width.</summary>
internal interface IActivation
{
    /// <summary>The value.</summary>
    static abstract V Value<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged;

    /// <summary>The value and, beside it, the derivative.</summary>
    static abstract V Both<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged;
}
