using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lorikeet.Formats;

/// <summary>
/// What the hub's entity tags are: SHA-256 of the bytes for large files (64 digits), git's blob id for the others (40 digits: SHA-1 of
/// <c>blob SIZE\0</c> and the bytes). So a tag proves a download.
/// </summary>
internal static class HubDigest
{
    /// <summary>True where the tag is a digest of the contents.</summary>
    public static bool IsDigest(string tag) => tag.Length is 40 or 64 && tag.All(char.IsAsciiHexDigit);

    /// <summary>The digest of a file, of the kind that <paramref name="tag"/> is; null where the tag is none.</summary>
    public static string? Compute(string tag, string file)
    {
        if (!IsDigest(tag))
            return null;
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        using IncrementalHash hash = IncrementalHash.CreateHash(tag.Length == 64 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        if (tag.Length == 40)
            hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {stream.Length}\0")));
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
            hash.AppendData(buffer.AsSpan(0, read));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
