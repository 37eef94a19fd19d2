namespace Lorikeet.Formats;

/// <summary>How far a download is. Reports come one at a time, from whichever thread has news.</summary>
/// <param name="File">The file that moved, by its name in the repository.</param>
/// <param name="Bytes">Bytes of it on this machine so far, those of an earlier, broken download included.</param>
/// <param name="Total">Its size; null where the server does not tell.</param>
/// <param name="Retry">Why an attempt failed that will be repeated; null in the ordinary report.</param>
public readonly record struct HubProgress(string File, long Bytes, long? Total, string? Retry = null);
