namespace Lorikeet.Formats;

/// <summary>The files of a repository at one commit, on this machine.</summary>
/// <param name="Folder">The folder <c>snapshots/COMMIT</c>: a model folder like any other.</param>
/// <param name="Commit">The commit that the revision stood for.</param>
/// <param name="Files">Paths below <paramref name="Folder"/> with forward slashes, in order; those that the request asked for.</param>
/// <param name="Downloaded">Bytes that came over the network in this call.</param>
public sealed record HubSnapshot(string Folder, string Commit, IReadOnlyList<string> Files, long Downloaded);
