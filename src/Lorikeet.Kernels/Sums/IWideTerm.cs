namespace Lorikeet.Kernels;

/// <summary>What a sum in double precision adds up.</summary>
internal interface IWideTerm
{
    /// <summary>Adds the terms of one vector of elements to the sum.</summary>
    static abstract D Add<S, V, D>(D sum, V a, V b)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged;
}
