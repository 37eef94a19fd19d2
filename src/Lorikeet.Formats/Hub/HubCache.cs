namespace Lorikeet.Formats;

/// <summary>
/// The hub's cache folder, laid out as its own client does it (Hub documentation, "Hub Local Cache"): contents lie once in <c>blobs/</c> under their digest,
/// <c>snapshots/COMMIT/</c> links to them by their names, <c>refs/</c> says which commit a branch or tag stood for. So downloads
/// made by other programs are found here, and the other way round.
/// </summary>
public sealed class HubCache
{
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(50);
    private readonly bool _symbolicLinks;

    /// <summary>The cache in a folder, which need not exist yet.</summary>
    public HubCache(string folder) : this(folder, symbolicLinks: true) { }

    internal HubCache(string folder, bool symbolicLinks) => (Folder, _symbolicLinks) = (Path.GetFullPath(folder), symbolicLinks);

    /// <summary>The folder of the <c>models--org--name</c> folders.</summary>
    public string Folder { get; }

    /// <summary>Finds what was downloaded of a repository; null where there is nothing of that revision.</summary>
    public HubSnapshot? Find(HubRepository repository)
    {
        ArgumentNullException.ThrowIfNull(repository);
        if (FindCommit(repository) is not { } commit || !Directory.Exists(SnapshotFolder(repository, commit)))
            return null;
        string folder = SnapshotFolder(repository, commit);
        string[] files =
        [
            .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(file => Length(file) is not null) // a link whose blob was deleted leads nowhere
                .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
                .Order(StringComparer.Ordinal),
        ];
        return files.Length == 0 ? null : new HubSnapshot(folder, commit, files, 0);
    }

    /// <summary>The revisions that the cache knows of a repository: names with their commits, and commits alone.</summary>
    public IReadOnlyList<string> Revisions(HubRepository repository)
    {
        ArgumentNullException.ThrowIfNull(repository);
        DirectoryInfo refs = new(Path.Combine(RepositoryFolder(repository), "refs"));
        DirectoryInfo snapshots = new(Path.Combine(RepositoryFolder(repository), "snapshots"));
        List<string> found = [];
        if (refs.Exists)
            found.AddRange(refs.EnumerateFiles("*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(refs.FullName, file.FullName).Replace('\\', '/')).Order(StringComparer.Ordinal));
        if (snapshots.Exists)
            found.AddRange(snapshots.EnumerateDirectories().Select(folder => folder.Name).Order(StringComparer.Ordinal));
        return found;
    }

    /// <summary>Where the links of a commit lie.</summary>
    internal string SnapshotFolder(HubRepository repository, string commit) => Path.Combine(RepositoryFolder(repository), "snapshots", commit);

    /// <summary>Where the contents of a tag lie.</summary>
    internal string BlobPath(HubRepository repository, string tag) => Path.Combine(RepositoryFolder(repository), "blobs", tag);

    /// <summary>Where a file of a commit is to be found by its name.</summary>
    internal string PointerPath(HubRepository repository, string commit, string name) => Path.Combine([SnapshotFolder(repository, commit), .. name.Split('/')]);

    /// <summary>The size in bytes of what a path leads to, links followed; null where it leads to no file.</summary>
    internal static long? Length(string path)
    {
        FileSystemInfo file = new FileInfo(path);
        if (file.LinkTarget is not null)
            file = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        return file is FileInfo { Exists: true } found ? found.Length : null;
    }

    /// <summary>Remembers which commit a branch or tag stands for.</summary>
    internal void WriteRef(HubRepository repository, string commit)
    {
        if (repository.IsPinned)
            return;
        string path = RefPath(repository);
        if (File.Exists(path) && File.ReadAllText(path).Trim() == commit)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string aside = Path.Combine(RepositoryFolder(repository), $"{Guid.NewGuid():N}.incomplete");
        File.WriteAllText(aside, commit);
        File.Move(aside, path, overwrite: true);
    }

    /// <summary>
    /// Makes a blob visible under its name, by a relative link. Where the system grants no links, the file itself goes there: moved if nothing else
    /// needs it (<paramref name="fresh"/>), else copied.
    /// </summary>
    internal void Publish(string blob, string pointer, bool fresh)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(pointer)!);
        string aside = $"{blob}.{Guid.NewGuid():N}.incomplete";
        if (_symbolicLinks)
        {
            try
            {
                File.CreateSymbolicLink(aside, Path.GetRelativePath(Path.GetDirectoryName(pointer)!, blob));
                File.Move(aside, pointer, overwrite: true);
                return;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
            {
                File.Delete(aside);
            }
        }
        if (fresh)
            File.Move(blob, pointer, overwrite: true);
        else
        {
            File.Copy(blob, aside);
            File.Move(aside, pointer, overwrite: true);
        }
    }

    /// <summary>
    /// Waits until no other process or thread downloads the same contents, then holds the lock until disposed. The lock is the operating system's
    /// (<c>flock</c>), so it ends with the process that holds it; the hub's own client honours it.
    /// </summary>
    internal async Task<FileStream> LockAsync(HubRepository repository, string tag, CancellationToken cancel)
    {
        string path = Path.Combine(Folder, ".locks", repository.CacheFolderName, $"{tag}.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (IsHeld(error))
            {
                await Task.Delay(LockPoll, cancel);
            }
        }
    }

    private string RepositoryFolder(HubRepository repository) => Path.Combine(Folder, repository.CacheFolderName);

    private string RefPath(HubRepository repository) => Path.Combine([RepositoryFolder(repository), "refs", .. repository.Revision.Split('/')]);

    private string? FindCommit(HubRepository repository)
    {
        if (repository.IsPinned)
            return repository.Revision;
        string path = RefPath(repository);
        string text = File.Exists(path) ? File.ReadAllText(path).Trim() : "";
        return HubRepository.IsCommit(text) ? text : null;
    }

    // Windows: sharing or lock violation; elsewhere errno EWOULDBLOCK of Linux or of the BSDs
    private static bool IsHeld(IOException error) => OperatingSystem.IsWindows() ? (error.HResult & 0xFFFF) is 32 or 33 : error.HResult is 11 or 35;
}
