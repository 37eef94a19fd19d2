using System.Text.Json;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A file as the list of a repository tells of it.</summary>
/// <param name="Name">Its path in the repository; safe to be joined to a folder.</param>
/// <param name="Size">Bytes; null where the server does not tell.</param>
/// <param name="Digest">SHA-256 or git's blob id; null where the server does not tell.</param>
internal sealed record HubEntry(string Name, long? Size, string? Digest);

/// <summary>The files of a repository at a commit.</summary>
internal sealed record HubListing(string Commit, IReadOnlyList<HubEntry> Entries)
{
    /// <summary>Reads the server's reply <c>{"sha": …, "siblings": [{"rfilename": …, "size": …, "blobId": …, "lfs": {"sha256": …}}]}</c>.</summary>
    /// <exception cref="InputException">It is no such reply, or a name in it would lead out of the folder; every such name is listed.</exception>
    public static HubListing Read(byte[] json, HubRepository repository, string address)
    {
        JsonElement root;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            root = document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new InputException($"{address} did not answer with JSON ({error.Message.TrimEnd('.')}). Is HF_ENDPOINT a hub?", error);
        }

        string? commit = Text(root, "sha");
        if (commit is null || !HubRepository.IsCommit(commit) || !root.TryGetProperty("siblings", out JsonElement siblings) || siblings.ValueKind != JsonValueKind.Array)
            throw new InputException($"{address} answered without the commit ('sha') and the files ('siblings') of a repository. Is HF_ENDPOINT a hub?");
        if (repository.IsPinned && commit != repository.Revision)
            throw new InputException($"{address} answered with commit {commit}; asked for was {repository.Revision}. The server does not serve what it was asked for");

        Dictionary<string, HubEntry> entries = new(StringComparer.Ordinal);
        List<string> refused = [];
        foreach (JsonElement sibling in siblings.EnumerateArray())
        {
            string name = Text(sibling, "rfilename") ?? "";
            if (!IsSafe(name))
            {
                refused.Add($"'{new string([.. name.Take(200).Select(character => char.IsControl(character) ? '?' : character)])}' would lead out of the repository's folder or is no name of a file");
                continue;
            }
            JsonElement lfs = sibling.TryGetProperty("lfs", out JsonElement found) && found.ValueKind == JsonValueKind.Object ? found : default;
            string? digest = lfs.ValueKind == JsonValueKind.Object ? Text(lfs, "sha256") : Text(sibling, "blobId");
            entries[name] = new HubEntry(name, Size(lfs) ?? Size(sibling), digest is not null && HubDigest.IsDigest(digest) ? digest : null);
        }
        if (refused.Count > 0)
            throw new InputException($"{repository} names files that no repository may hold; nothing was downloaded", refused);
        return new HubListing(commit, [.. entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal)]);
    }

    private static bool IsSafe(string name) =>
        name.Length is > 0 and < 4096 && !name.Any(character => char.IsControl(character) || character == '\\') &&
        name.Split('/').All(part => part is not ("" or "." or "..") && part.Length < 256) &&
        (!OperatingSystem.IsWindows() || name.IndexOfAny([':', '*', '?', '"', '<', '>', '|']) < 0);

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Size(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("size", out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long size) && size >= 0 ? size : null;
}
