using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Fetches repositories of the Hugging Face hub, or of a server that speaks the same, into the cache that other programs of the hub use too.
/// Everything of one call is of one commit; a file is visible only once it is whole and its digest is right.
/// </summary>
public sealed class HubClient : IDisposable
{
    private const int MaximumListing = 64 << 20;
    private static readonly string[] ForeignWeights =
    [
        "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.onnx_data", "*.tflite", "*.mlmodel", "*.mlpackage/*", "*.ckpt.*", "*.npz",
        "onnx/*", "openvino*", "coreml/*", "tf_model*", "flax_model*", "original/*",
    ];
    private static readonly string[] TorchWeights = ["*.bin", "*.pt", "*.pth", "*.ckpt"];

    private readonly HubOptions _options;
    private readonly HubConnection _connection;

    /// <summary>A client; it opens no connection before the first request.</summary>
    public HubClient(HubOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Attempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Connections, 1);
        _options = options;
        _connection = new HubConnection(options);
        Cache = new HubCache(options.CacheFolder, options.SymbolicLinks);
    }

    /// <summary>The cache that this client fills.</summary>
    public HubCache Cache { get; }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    /// <summary>
    /// Brings the files of a repository to this machine, those excepted that are there already. What a broken or cancelled call had received is
    /// continued by the next one.
    /// </summary>
    /// <param name="request">Which files.</param>
    /// <param name="progress">Hears of every piece that arrives; called from one thread at a time, so it should be quick.</param>
    /// <param name="cancel">Ends the call; what has arrived is kept.</param>
    /// <exception cref="InputException">The repository cannot be had, wholly or in part; every reason is listed.</exception>
    public async Task<HubSnapshot> PullAsync(HubRequest request, IProgress<HubProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_options.Offline)
            return FromCache(request);

        HubRepository repository = request.Repository;
        Lock reporting = new();
        void Report(HubProgress news)
        {
            lock (reporting)
                progress?.Report(news);
        }

        HubListing listing = await ListAsync(repository, Report, cancel);
        HubEntry[] wanted = [.. Select(listing.Entries.Select(entry => entry.Name), request).Join(listing.Entries, name => name, entry => entry.Name, (_, entry) => entry)];
        if (wanted.Length == 0)
            throw new InputException($"no file of {repository} is wanted: {Wishes(request)}; it holds {Sample(listing.Entries.Select(entry => entry.Name))}");

        HubEntry[] missing = [.. wanted.Where(entry => !IsHere(repository, listing.Commit, entry))];
        CheckSpace(repository, missing);
        long downloaded = await FetchAsync(repository, listing.Commit, missing, Report, cancel);
        try
        {
            Cache.WriteRef(repository, listing.Commit);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw HubFile.CannotWrite(_options, Cache, error);
        }
        return new HubSnapshot(Cache.SnapshotFolder(repository, listing.Commit), listing.Commit, [.. wanted.Select(entry => entry.Name)], downloaded);
    }

    private HubSnapshot FromCache(HubRequest request)
    {
        HubRepository repository = request.Repository;
        if (Cache.Find(repository) is not { } snapshot)
        {
            IReadOnlyList<string> known = Cache.Revisions(repository);
            string holds = known.Count == 0 ? "nothing of this repository" : $"of this repository only {Sample(known)}";
            throw new InputException($"{repository} is not in the cache {Cache.Folder}, which holds {holds}, and the hub is set to offline. Unset HF_HUB_OFFLINE to download it");
        }
        string[] files = [.. Select(snapshot.Files, request)];
        return files.Length > 0
            ? snapshot with { Files = files }
            : throw new InputException($"no file of {repository} in the cache is wanted: {Wishes(request)}; the cache holds {Sample(snapshot.Files)}, and the hub is set to offline");
    }

    private async Task<HubListing> ListAsync(HubRepository repository, Action<HubProgress> report, CancellationToken cancel)
    {
        Uri address = _connection.Address($"{repository.ApiPath}/revision/{repository.Revision}", "?blobs=true");
        byte[] json = await _connection.RetryAsync(
            async () =>
            {
                using HttpResponseMessage reply = await _connection.SendAsync(repository, HttpMethod.Get, address, null, null, cancel);
                return await ReadAsync(reply.Content, address, cancel);
            },
            why => report(new HubProgress("", 0, null, why)), cancel);
        return HubListing.Read(json, repository, HubConnection.Shown(address));
    }

    private async Task<byte[]> ReadAsync(HttpContent content, Uri address, CancellationToken cancel)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_options.StallTimeout);
        try
        {
            await content.LoadIntoBufferAsync(MaximumListing, limit.Token);
            return await content.ReadAsByteArrayAsync(limit.Token);
        }
        catch (Exception error) when (error is IOException or HttpRequestException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new HubFailure($"{HubConnection.Shown(address)}: the connection broke within the list of files", null, error);
        }
    }

    private bool IsHere(HubRepository repository, string commit, HubEntry entry)
    {
        long? length = HubCache.Length(Cache.PointerPath(repository, commit, entry.Name));
        return length is not null && (entry.Size is null || entry.Size == length);
    }

    private void CheckSpace(HubRepository repository, HubEntry[] missing)
    {
        long needed = missing.Sum(entry => entry.Digest is null || HubCache.Length(Cache.BlobPath(repository, entry.Digest)) != entry.Size
            ? Math.Max(0, (entry.Size ?? 0) - (entry.Digest is null ? 0 : HubCache.Length(Cache.BlobPath(repository, $"{entry.Digest}.incomplete")) ?? 0))
            : 0);
        string folder = Cache.Folder;
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent)
            folder = parent;
        if (needed > 0 && _options.FreeSpace(folder) is { } free && free < needed)
        {
            throw new UnavailableException(FormattableString.Invariant(
                $"{repository} needs {needed:N0} more bytes, but {Cache.Folder} has {free:N0} free. Make room, name another folder by HF_HUB_CACHE, or fetch fewer files"));
        }
    }

    private async Task<long> FetchAsync(HubRepository repository, string commit, HubEntry[] missing, Action<HubProgress> report, CancellationToken cancel)
    {
        using SemaphoreSlim connections = new(_options.Connections);
        HubFile[] files = [.. missing.Select(entry => new HubFile(_options, _connection, Cache, repository, commit, entry.Name, report))];
        (string Name, InputException? Problem)[] results = await Task.WhenAll(files.Select(async (file, index) =>
        {
            await connections.WaitAsync(cancel);
            try
            {
                await file.FetchAsync(cancel);
                return (missing[index].Name, (InputException?)null);
            }
            catch (InputException problem)
            {
                return (missing[index].Name, problem);
            }
            finally
            {
                connections.Release();
            }
        }));

        string[] problems =
        [
            .. results.Where(result => result.Problem is not null)
                .SelectMany(result => result.Problem!.Problems.Select(problem => (result.Name, problem)))
                .GroupBy(pair => pair.problem, pair => pair.Name)
                .Select(group => $"{Sample(group)}: {group.Key}"),
        ];
        if (problems.Length > 0)
        {
            string headline = $"{repository} is not complete: {results.Count(result => result.Problem is not null)} of {missing.Length} files failed";
            throw results.All(result => result.Problem is null or UnavailableException) ? new UnavailableException(headline, problems) : new InputException(headline, problems);
        }
        return files.Sum(file => file.Downloaded);
    }

    private static IEnumerable<string> Select(IEnumerable<string> names, HubRequest request)
    {
        string[] all = [.. names];
        HubPattern[] allow = [.. request.Allow.Select(pattern => new HubPattern(pattern))];
        HubPattern[] ignore = [.. request.Ignore.Select(pattern => new HubPattern(pattern))];
        bool safetensors = all.Any(name => name.EndsWith(".safetensors", StringComparison.Ordinal));
        HubPattern[] twice = request.WeightsOnce ? [.. (safetensors ? [.. ForeignWeights, .. TorchWeights] : ForeignWeights).Select(pattern => new HubPattern(pattern))] : [];
        return all.Where(name =>
        {
            bool named = allow.Any(pattern => pattern.Matches(name));
            return (named || (allow.Length == 0 && !twice.Any(pattern => pattern.Matches(name)))) && !ignore.Any(pattern => pattern.Matches(name));
        });
    }

    private static string Wishes(HubRequest request) =>
        $"allowed {(request.Allow.Count == 0 ? "everything" : string.Join(", ", request.Allow))}, ignored {(request.Ignore.Count == 0 ? "nothing" : string.Join(", ", request.Ignore))}";

    private static string Sample(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length <= 4 ? string.Join(", ", all) : $"{string.Join(", ", all.Take(3))} and {all.Length - 3} more";
    }
}
