namespace Lorikeet.Text;

/// <summary>How a repetition tries its counts.</summary>
internal enum RepeatMode
{
    /// <summary>As many as possible first.</summary>
    Greedy,

    /// <summary>As few as possible first.</summary>
    Lazy,

    /// <summary>As many as possible and no fewer.</summary>
    Possessive,
}
