using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>One file of a repository at a commit, fetched into the cache: asked for, locked, downloaded where it left off, proved by its digest, published.</summary>
internal sealed class HubFile
{
    private readonly HubOptions _options;
    private readonly HubConnection _connection;
    private readonly HubCache _cache;
    private readonly HubRepository _repository;
    private readonly string _commit;
    private readonly string _name;
    private readonly Uri _address;
    private readonly Action<HubProgress> _report;
    private EntityTagHeaderValue? _validator; // of the bytes received so far, as the host that sent them tags them

    public HubFile(HubOptions options, HubConnection connection, HubCache cache, HubRepository repository, string commit, string name, Action<HubProgress> report)
    {
        (_options, _connection, _cache, _repository, _commit, _name, _report) = (options, connection, cache, repository, commit, name, report);
        _address = connection.Address($"{repository.UrlPath}/resolve/{commit}/{name}");
    }

    /// <summary>Bytes that came over the network.</summary>
    public long Downloaded { get; private set; }

    /// <summary>Puts the file under its name in the snapshot of the commit.</summary>
    public async Task FetchAsync(CancellationToken cancel)
    {
        (string tag, long? size) = await _connection.RetryAsync(() => DescribeAsync(cancel), why => _report(new HubProgress(_name, 0, null, why)), cancel);
        string blob = _cache.BlobPath(_repository, tag);
        string pointer = _cache.PointerPath(_repository, _commit, _name);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
            using FileStream held = await _cache.LockAsync(_repository, tag, cancel);
            bool fresh = false;
            if (HubCache.Length(blob) is not { } length || (size is not null && length != size))
            {
                await DownloadAsync(tag, size, $"{blob}.incomplete", cancel);
                File.Move($"{blob}.incomplete", blob, overwrite: true);
                fresh = true;
            }
            _cache.Publish(blob, pointer, fresh);
            long bytes = HubCache.Length(pointer) ?? 0;
            _report(new HubProgress(_name, bytes, bytes));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(_options, _cache, error);
        }
    }

    /// <summary>What to tell the user when the cache cannot be written: no room, no right.</summary>
    public static InputException CannotWrite(HubOptions options, HubCache cache, Exception error)
    {
        string free = options.FreeSpace(cache.Folder) is { } bytes ? string.Create(CultureInfo.InvariantCulture, $" ({bytes:N0} bytes are free)") : "";
        string text = $"cannot write to {cache.Folder}: {error.Message.TrimEnd('.')}{free}. Make room or name another folder by HF_HUB_CACHE, then run again: what has arrived is kept";
        return WriteFailure.IsFull(error) ? new UnavailableException(text, error) : new InputException(text, error);
    }

    /// <summary>Asks for tag and size. Large files answer by a redirect to where their bytes lie; its headers describe them already.</summary>
    private async Task<(string Tag, long? Size)> DescribeAsync(CancellationToken cancel)
    {
        string? commit = null, tag = null;
        long? size = null;
        bool Read(HttpResponseMessage reply)
        {
            commit ??= HubConnection.Header(reply, "X-Repo-Commit");
            string? linked = HubConnection.Header(reply, "X-Linked-Etag");
            tag = linked ?? tag ?? (reply.IsSuccessStatusCode ? HubConnection.Header(reply, "ETag") : null);
            size ??= long.TryParse(HubConnection.Header(reply, "X-Linked-Size"), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
                : reply.IsSuccessStatusCode ? reply.Content.Headers.ContentLength : null;
            return linked is not null && (int)reply.StatusCode is >= 200 and < 400;
        }
        (await _connection.SendAsync(_repository, HttpMethod.Head, _address, null, Read, cancel)).Dispose();

        if (commit is not null && commit != _commit)
            throw new InputException($"{HubConnection.Shown(_address)} was answered with commit {commit}; expected {_commit}. The server does not serve what it was asked for");
        tag = (tag ?? "").Replace("W/", "", StringComparison.Ordinal).Trim('"');
        if (tag.Length is 0 or > 200 || tag[0] == '.' || !tag.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.'))
            throw new InputException($"{HubConnection.Shown(_address)} has no usable ETag ('{tag}'), so its contents could not be told apart or checked; expected a digest. Is HF_ENDPOINT a hub?");
        return (tag, size);
    }

    /// <summary>Brings all bytes into a file beside the blob, through as many connections as it takes, and checks them.</summary>
    private async Task DownloadAsync(string tag, long? size, string partial, CancellationToken cancel)
    {
        // bytes of an earlier run can be continued only where the digest at the end will prove the whole
        if (!HubDigest.IsDigest(tag) || HubCache.Length(partial) > size)
            File.Delete(partial);
        long most = HubCache.Length(partial) ?? 0;
        bool wrong = false;
        for (int failures = 0; ;)
        {
            HubFailure failure;
            try
            {
                if (size is null || HubCache.Length(partial) != size)
                    await ReceiveAsync(partial, size, cancel);
                if (HubDigest.Compute(tag, partial) is not { } digest || digest.Equals(tag, StringComparison.OrdinalIgnoreCase))
                    return;
                File.Delete(partial);
                if (wrong)
                    throw new InputException($"{HubConnection.Shown(_address)} arrived with digest {digest}; the server announces {tag}. Twice the same: the file is damaged there or on the way; nothing of it was kept");
                (wrong, _validator, most) = (true, null, 0);
                failure = new HubFailure($"it arrived damaged (digest {digest}, expected {tag})");
            }
            catch (HubFailure broken)
            {
                failure = broken;
            }

            long now = HubCache.Length(partial) ?? 0;
            failures = now > most ? 1 : failures + 1;
            most = Math.Max(most, now);
            if (failures >= _options.Attempts)
                throw failure.AsInput(failures, _options.Endpoint);
            _report(new HubProgress(_name, now, size, failure.Message));
            await _connection.WaitAsync(failures, failure, cancel);
        }
    }

    /// <summary>
    /// One connection: asks for what is missing and appends it. A server that answers with the whole file, or whose file has changed since
    /// the first connection, starts it anew.
    /// </summary>
    private async Task ReceiveAsync(string partial, long? size, CancellationToken cancel)
    {
        long have = HubCache.Length(partial) ?? 0;
        void Prepare(HttpRequestMessage request)
        {
            if (have == 0)
                return;
            request.Headers.Range = new RangeHeaderValue(have, null);
            if (_validator is not null)
                request.Headers.IfRange = new RangeConditionHeaderValue(_validator);
        }
        using HttpResponseMessage reply = await _connection.SendAsync(_repository, HttpMethod.Get, _address, Prepare, null, cancel);
        if (reply.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            File.Delete(partial);
            throw new HubFailure($"the server cannot continue at byte {have}, so it begins anew");
        }
        if (reply.StatusCode == HttpStatusCode.PartialContent)
        {
            ContentRangeHeaderValue? range = reply.Content.Headers.ContentRange;
            if (have == 0 || range?.From != have || (size is not null && range.HasLength && range.Length != size))
            {
                File.Delete(partial);
                throw new HubFailure($"the server sent another part ({range}) than byte {have} on");
            }
        }
        else if (have > 0)
            have = 0;

        _validator = reply.Headers.ETag is { IsWeak: false } tag ? tag : null;
        long before = have;
        using (FileStream file = new(partial, have == 0 ? FileMode.Create : FileMode.Append, FileAccess.Write, FileShare.Read, 1))
        {
            try
            {
                have += await CopyAsync(reply.Content, file, have, size, cancel);
            }
            finally
            {
                Downloaded += file.Position - before;
            }
            file.Flush(flushToDisk: true);
        }
        if (have < size)
            throw new HubFailure($"the connection ended after {have} of {size} bytes");
    }

    private async Task<long> CopyAsync(HttpContent content, FileStream file, long from, long? size, CancellationToken cancel)
    {
        byte[] buffer = new byte[1 << 17];
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        long copied = 0;
        while (true)
        {
            int read;
            limit.CancelAfter(_options.StallTimeout);
            try
            {
                Stream stream = await content.ReadAsStreamAsync(limit.Token);
                read = await stream.ReadAsync(buffer, limit.Token);
            }
            catch (Exception error) when (error is IOException or HttpRequestException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                throw new HubFailure($"the connection broke after {from + copied} of {(size?.ToString(CultureInfo.InvariantCulture) ?? "unknown")} bytes", null, error);
            }
            if (read == 0)
                return copied;
            copied += read;
            if (from + copied > size)
            {
                file.SetLength(0);
                throw new InputException($"{HubConnection.Shown(_address)} sends more than the {size} bytes that it announced; stopped");
            }
            await file.WriteAsync(buffer.AsMemory(0, read), cancel);
            _report(new HubProgress(_name, from + copied, size));
        }
    }
}
