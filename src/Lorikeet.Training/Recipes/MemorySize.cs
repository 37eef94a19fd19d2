using System.Globalization;

namespace Lorikeet.Training;

/// <summary>A size of memory as people write it.</summary>
public static class MemorySize
{
    /// <summary>What one looks like.</summary>
    public const string Examples = "900MB, 1.5GB or 1GiB";

    private static readonly (string Name, double Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("K", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12),
    ];

    /// <summary>Bytes, or null where the text is no positive number with a unit.</summary>
    public static long? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string trimmed = text.Trim();
        foreach ((string name, double bytes) in Units)
        {
            if (trimmed.EndsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return double.TryParse(trimmed.AsSpan(0, trimmed.Length - name.Length).Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count)
                    && count * bytes is >= 1 and < 1e18 ? (long)(count * bytes) : null;
            }
        }
        return null;
    }
}
