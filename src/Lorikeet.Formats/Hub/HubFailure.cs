using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A failure that may pass: a broken connection, a busy server. It never leaves this folder.</summary>
internal sealed class HubFailure : Exception
{
    public HubFailure(string message, TimeSpan? after = null, Exception? inner = null) : base(message, inner) => After = after;

    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? After { get; }

    /// <summary>What to tell the user once no attempt is left.</summary>
    public UnavailableException AsInput(int attempts, Uri endpoint) =>
        new($"{Message}; tried {attempts} times. Check the network, the proxy (HTTPS_PROXY) and HF_ENDPOINT ({endpoint}), or run again: what has arrived is kept", this);
}
