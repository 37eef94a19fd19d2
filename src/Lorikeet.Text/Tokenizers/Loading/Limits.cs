namespace Lorikeet.Text;

/// <summary>What a tokenizer's file may ask for, so that a broken or hostile one cannot take the memory of the machine.</summary>
internal static class Limits
{
    /// <summary>Larger vocabularies do not exist (the largest in use have about 260 thousand tokens).</summary>
    public const int LargestTokenId = (1 << 24) - 1;

    /// <summary>Longer tokens do not exist (the longest in use are runs of some hundred blanks); searching for one costs its length at every place.</summary>
    public const int LongestToken = 4096;

    /// <summary>Larger tokenizer files do not exist (the largest in use have about 35 MB).</summary>
    public const long LargestFile = 1L << 29;
}
