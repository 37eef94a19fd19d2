namespace Lorikeet.Kernels;

/// <summary>How the derivative of attention is cut into parts; the result is the same.</summary>
internal enum AttentionCut
{
    /// <summary>By segments and key heads: every score is computed once.</summary>
    Segments,
    /// <summary>By blocks of keys, for the derivatives of keys and values: more parts, but the scores are computed again for the queries.</summary>
    Keys,
    /// <summary>By blocks of queries, for their derivative.</summary>
    Queries,
}
