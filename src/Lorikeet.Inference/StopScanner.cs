namespace Lorikeet.Inference;

/// <summary>Finds stop strings in text that comes in pieces, and holds back what might be the beginning of one.</summary>
internal sealed class StopScanner(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>True once a stop string has come.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes a piece; returns what is certainly not part of a stop string.</summary>
    public string Append(string piece)
    {
        if (stops.Count == 0 || Stopped)
            return Stopped ? "" : piece;
        string text = _held + piece;
        int end = -1;
        foreach (string stop in stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (end < 0 || at < end))
                end = at;
        }
        if (end >= 0)
        {
            Stopped = true;
            _held = "";
            return text[..end];
        }
        int held = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > held; length--)
            {
                if (text.AsSpan().EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal))
                    held = length;
            }
        }
        _held = text[^held..];
        return text[..^held];
    }

    /// <summary>What was held back and turned out to be text.</summary>
    public string Finish()
    {
        string held = _held;
        _held = "";
        return held;
    }
}
