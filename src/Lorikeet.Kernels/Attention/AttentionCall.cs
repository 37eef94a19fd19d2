namespace Lorikeet.Kernels;

/// <summary>
/// Attention of grouped heads over ragged rows. Query head h reads key head <c>h / (Heads / KvHeads)</c>.
/// <c>Out[i, h] = sum_j softmax_j(cap(Scale * Q[i, h] . K[j, kv])) * V[j, kv]</c> over the keys <c>First[i] &lt;= j &lt; Last[i]</c>, where
/// <c>cap(s) = SoftCap * tanh(s / SoftCap)</c> when there is a cap. A query that sees no key gives zeros.
/// The rows of many sequences may lie one after another: the ranges keep documents apart and also say causal order, windows and prefixes.
/// </summary>
public unsafe struct AttentionCall
{
    /// <summary><c>[queries, heads, headDim]</c>.</summary>
    public float* Q;
    /// <summary>Elements between query rows.</summary>
    public long LdQ;
    /// <summary><c>[keys, kvHeads, headDim]</c>.</summary>
    public float* K;
    /// <summary>Elements between key rows.</summary>
    public long LdK;
    /// <summary><c>[keys, kvHeads, valueDim]</c>.</summary>
    public float* V;
    /// <summary>Elements between value rows.</summary>
    public long LdV;
    /// <summary>
    /// Keys and values that lie in the pages of a cache instead, and in its storage; null where they lie in <see cref="K"/> and <see cref="V"/>. No derivative
    /// goes through a cache.
    /// </summary>
    public byte** Pages;
    /// <summary>What the pages are like.</summary>
    public KvLayout Layout;
    /// <summary>Whose keys and values they hold are meant.</summary>
    public int Layer;
    /// <summary><c>[queries, heads, valueDim]</c>.</summary>
    public float* Out;
    /// <summary>Elements between output rows.</summary>
    public long LdOut;
    /// <summary><c>[queries, heads]</c>, dense: logarithm of each softmax's denominator (minus infinity where nothing is seen). Null when no derivative follows.</summary>
    public float* LogSumExp;
    /// <summary>Query rows.</summary>
    public int Queries;
    /// <summary>Key rows.</summary>
    public int Keys;
    /// <summary>Query heads, a multiple of <see cref="KvHeads"/>.</summary>
    public int Heads;
    /// <summary>Key and value heads.</summary>
    public int KvHeads;
    /// <summary>Dimensions of a query or key head.</summary>
    public int HeadDim;
    /// <summary>Dimensions of a value head.</summary>
    public int ValueDim;
    /// <summary><c>[queries]</c>: first key row that each query sees.</summary>
    public int* First;
    /// <summary><c>[queries]</c>: one past the last key row that each query sees.</summary>
    public int* Last;
    /// <summary>Factor of the products, usually <c>1 / sqrt(headDim)</c>.</summary>
    public float Scale;
    /// <summary>Bound of the scores (Gemma 2); 0 for none.</summary>
    public float SoftCap;
}
