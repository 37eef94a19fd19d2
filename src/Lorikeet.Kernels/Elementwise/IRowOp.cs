namespace Lorikeet.Kernels;

/// <summary>An elementwise operation of up to three inputs and a scalar, for <see cref="RowJob{TOp}"/>.</summary>
internal interface IRowOp
{
    /// <summary>How many of a, b, c are read.</summary>
    static abstract int Inputs { get; }

    /// <summary>The result for one vector of elements.</summary>
    static abstract V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged;
}
