namespace Lorikeet.Tensors;

/// <summary>Memory of the operating system that a <see cref="BlockPool"/> cuts into blocks.</summary>
internal sealed class Segment
{
    /// <summary>The block that begins it; all of it while nothing is in use.</summary>
    public required Block First;

    /// <summary>Bytes of it.</summary>
    public required long Bytes;

    /// <summary>Bytes of it from its beginning that have ever been in use: where the system gives memory when it is written, it has given no more.</summary>
    public long Reached;
}
