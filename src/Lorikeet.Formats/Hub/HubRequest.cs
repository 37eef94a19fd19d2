namespace Lorikeet.Formats;

/// <summary>Which files of a repository to fetch.</summary>
/// <param name="Repository">The repository at a revision.</param>
public sealed record HubRequest(HubRepository Repository)
{
    /// <summary>Only files that match one of these patterns, or all where there is none. <c>*</c> stands for any text, slashes too; <c>?</c> for one character; <c>[ab]</c> for one of several; <c>folder/</c> for all in it.</summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>No file that matches one of these patterns.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>
    /// True: leave out weights that only other programs read (TensorFlow, Flax, ONNX, Core ML …), and torch files where the repository has
    /// safetensors, which hold the same. An old repository shrinks to a third or less. Files that <see cref="Allow"/> names stay.
    /// </summary>
    public bool WeightsOnce { get; init; }
}
