namespace Lorikeet.Kernels;

/// <summary>What a sum down the columns adds up.</summary>
internal interface IColumnTerm
{
    /// <summary>True where y is read.</summary>
    static abstract bool ReadsY { get; }
    /// <summary>How many of the row scalars p, q are read.</summary>
    static abstract int RowScalars { get; }

    /// <summary>Adds the term of one vector of columns of one row.</summary>
    static abstract V Add<S, V, D>(V sum, V x, V y, V p, V q)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged;
}
