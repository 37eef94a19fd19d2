namespace Lorikeet.Cli;

/// <summary>Standard output takes nothing more.</summary>
/// <param name="reason">What writing said.</param>
/// <param name="closed">True where whoever read it has gone, as <c>head</c> does once it has its lines: no failure.</param>
internal sealed class OutputException(Exception reason, bool closed) : Exception($"standard output cannot be written ({reason.Message.TrimEnd('.')})", reason)
{
    /// <summary>True where whoever read it has gone.</summary>
    public bool IsClosed => closed;
}
