namespace Lorikeet.Peft;

/// <summary>How A and B start.</summary>
internal enum LoraInit
{
    /// <summary>A uniform within 1/sqrt(in), B zero.</summary>
    Kaiming,
    /// <summary>A normal with deviation 1/rank, B zero.</summary>
    Gaussian,
    /// <summary>Both uniform: not the identity, for tests.</summary>
    Random,
}
