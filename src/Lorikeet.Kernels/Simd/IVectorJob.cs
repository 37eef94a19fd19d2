namespace Lorikeet.Kernels;

/// <summary>
/// A piece of work that can be cut into parts and runs in any vector width. The struct holds the arguments; it lives on the caller's stack.
/// </summary>
internal unsafe interface IVectorJob<TSelf>
    where TSelf : unmanaged
{
    /// <summary>Does one part; parts write disjoint memory.</summary>
    static abstract void Part<S, V, D>(TSelf* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged;
}
