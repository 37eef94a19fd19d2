using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Requests to the hub. Redirects are followed by hand: the token goes to the endpoint's own scheme, host and port and nowhere else, and a secure
/// connection is never exchanged for an open one. Failures come sorted: <see cref="HubFailure"/> may pass, <see cref="InputException"/> will not.
/// </summary>
internal sealed class HubConnection : IDisposable
{
    private const int MaximumRedirects = 10;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);
    private readonly HubOptions _options;
    private readonly HttpClient _client;

    public HubConnection(HubOptions options)
    {
        _options = options;
        HttpMessageHandler carrier = options.Carrier ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None, // sizes and digests are of the bytes as stored
            ConnectTimeout = options.StallTimeout,
            UseCookies = false,
            UseProxy = !options.Endpoint.IsLoopback,
        };
        _client = new HttpClient(carrier) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("lorikeet", typeof(HubConnection).Assembly.GetName().Version?.ToString(3)));
        _client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
    }

    public void Dispose() => _client.Dispose();

    /// <summary>An address below the endpoint; every part of the path is escaped.</summary>
    public Uri Address(string path, string query = "") =>
        new($"{_options.Endpoint.AbsoluteUri.TrimEnd('/')}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}{query}");

    /// <summary>
    /// Sends a request and follows its redirects. The reply has a status of success, or 416 where <paramref name="prepare"/> asked for a range; its body is yet to be read.
    /// </summary>
    /// <param name="repository">What messages speak of.</param>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="address">Where to begin.</param>
    /// <param name="prepare">Adds headers to the request to each host.</param>
    /// <param name="seen">Sees every reply on the way; true ends the way there.</param>
    /// <param name="cancel">Ends everything.</param>
    public async Task<HttpResponseMessage> SendAsync(
        HubRepository repository, HttpMethod method, Uri address, Action<HttpRequestMessage>? prepare, Func<HttpResponseMessage, bool>? seen, CancellationToken cancel)
    {
        for (int redirects = 0; redirects <= MaximumRedirects; redirects++)
        {
            HttpResponseMessage reply = await SendOnceAsync(method, address, prepare, cancel);
            bool keep = false;
            try
            {
                if (seen?.Invoke(reply) == true || reply.IsSuccessStatusCode || (reply.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && prepare is not null))
                {
                    keep = true;
                    return reply;
                }
                if ((int)reply.StatusCode is not (301 or 302 or 303 or 307 or 308))
                    throw Refusal(repository, reply, address);
                Uri next = reply.Headers.Location is { } location
                    ? new Uri(address, location)
                    : throw new HubFailure($"{Shown(address)} redirects ({(int)reply.StatusCode}) without saying where");
                if (next.Scheme is not ("https" or "http") || (address.Scheme == "https" && next.Scheme == "http"))
                    throw new InputException($"{Shown(address)} redirects to {Shown(next)}, which is no secure address; refused");
                address = next;
            }
            finally
            {
                if (!keep)
                    reply.Dispose();
            }
        }
        throw new InputException($"{Shown(address)}: more than {MaximumRedirects} redirects");
    }

    /// <summary>Repeats something until it succeeds or fails for good, waiting longer each time.</summary>
    public async Task<T> RetryAsync<T>(Func<Task<T>> attempt, Action<string>? report, CancellationToken cancel)
    {
        for (int failures = 1; ; failures++)
        {
            try
            {
                return await attempt();
            }
            catch (HubFailure failure)
            {
                if (failures >= _options.Attempts)
                    throw failure.AsInput(failures, _options.Endpoint);
                report?.Invoke(failure.Message);
                await WaitAsync(failures, failure, cancel);
            }
        }
    }

    /// <summary>Waits before the next attempt: 1, 2, 4 … seconds, at least as long as the server asked for, at most two minutes.</summary>
    public Task WaitAsync(int failures, HubFailure failure, CancellationToken cancel)
    {
        TimeSpan wait = TimeSpan.FromSeconds(Math.Min(30, 1 << Math.Min(failures - 1, 5)));
        if (failure.After > wait)
            wait = failure.After.Value;
        return _options.Wait(wait < LongestWait ? wait : LongestWait, cancel);
    }

    /// <summary>An address without its query, which may carry a signature.</summary>
    public static string Shown(Uri address) => address.GetLeftPart(UriPartial.Path);

    private async Task<HttpResponseMessage> SendOnceAsync(HttpMethod method, Uri address, Action<HttpRequestMessage>? prepare, CancellationToken cancel)
    {
        using HttpRequestMessage request = new(method, address);
        prepare?.Invoke(request);
        if (_options.Token is { } token && IsEndpoint(address))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_options.StallTimeout);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        }
        catch (HttpRequestException error) when (error.HttpRequestError == HttpRequestError.SecureConnectionError || error.InnerException is System.Security.Authentication.AuthenticationException)
        {
            throw new InputException($"no secure connection to {address.Authority}: {error.InnerException?.Message ?? error.Message}. Check the system's certificates and its clock", error);
        }
        catch (HttpRequestException error)
        {
            throw new HubFailure($"cannot reach {address.Authority}: {error.Message}", null, error);
        }
        catch (OperationCanceledException error) when (!cancel.IsCancellationRequested)
        {
            throw new HubFailure($"{address.Authority} did not answer within {Seconds(_options.StallTimeout)} s", null, error);
        }
    }

    private bool IsEndpoint(Uri address) => Uri.Compare(address, _options.Endpoint, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private Exception Refusal(HubRepository repository, HttpResponseMessage reply, Uri address)
    {
        int status = (int)reply.StatusCode;
        string what = $"{repository.UrlPath} at {Shown(_options.Endpoint).TrimEnd('/')}";
        string said = Header(reply, "X-Error-Message") is { } message ? $" The server says: {message}" : "";
        string withToken = _options.Token is null ? "set HF_TOKEN to a token of an account that may read it" : "the token that is set belongs to an account that may not read it, or has expired";
        switch (Header(reply, "X-Error-Code"), status)
        {
            case ("GatedRepo", _):
                return new InputException(
                    $"{what} is gated: its authors ask for a consent first. Open {Shown(Address(repository.UrlPath))}, ask for access, then " +
                    (_options.Token is null ? "set HF_TOKEN to a token of that account" : "run again; the token that is set has not been granted access yet") + $".{said}");
            case ("RevisionNotFound", _):
                return new InputException($"{what} has no revision '{repository.Revision}'. Give a branch, a tag or a commit that its page lists.{said}");
            case ("EntryNotFound", _):
                return new InputException($"{Shown(address)}: there is no such file at this revision.{said}");
            case ("RepoNotFound", _) or (_, 401):
                return new InputException($"{what} does not exist, or is private: check the spelling; if it is private, {withToken}.{said}");
            case (_, 403):
                return new InputException($"{what} refuses access (403): {withToken}.{said}");
            case (_, 404):
                return new InputException($"{Shown(address)} does not exist (404): check the name, the revision '{repository.Revision}' and HF_ENDPOINT.{said}");
            case (_, 408 or 425 or 429 or >= 500):
                return new HubFailure($"{address.Authority} answered {status} {reply.ReasonPhrase}", RetryAfter(reply));
            default:
                return new InputException($"{Shown(address)} answered {status} {reply.ReasonPhrase}.{said}");
        }
    }

    /// <summary>A header as one printable line of at most 300 characters.</summary>
    internal static string? Header(HttpResponseMessage reply, string name)
    {
        if (!reply.Headers.TryGetValues(name, out IEnumerable<string>? values) || values.FirstOrDefault() is not { Length: > 0 } text)
            return null;
        string line = new([.. text.Take(300).Select(character => char.IsControl(character) ? ' ' : character)]);
        return line.Trim() is { Length: > 0 } trimmed ? trimmed : null;
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage reply) =>
        reply.Headers.RetryAfter is not { } after ? null
        : after.Delta ?? (after.Date is { } date ? date - (reply.Headers.Date ?? DateTimeOffset.UtcNow) : null);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
}
