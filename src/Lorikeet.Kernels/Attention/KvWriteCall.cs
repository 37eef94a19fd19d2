namespace Lorikeet.Kernels;

/// <summary>Rows of keys and values on their way into the pages of a cache.</summary>
public unsafe struct KvWriteCall
{
    /// <summary><c>[rows, heads, keyDim]</c>.</summary>
    public float* K;
    /// <summary>Elements between key rows.</summary>
    public long LdK;
    /// <summary><c>[rows, heads, valueDim]</c>.</summary>
    public float* V;
    /// <summary>Elements between value rows.</summary>
    public long LdV;
    /// <summary>How many.</summary>
    public int Rows;
    /// <summary>The sequence's pages, in order.</summary>
    public byte** Pages;
    /// <summary>What they are like.</summary>
    public KvLayout Layout;
    /// <summary>Whose rows they are.</summary>
    public int Layer;
    /// <summary>Row of the cache that the first one becomes.</summary>
    public int At;
}
