namespace Lorikeet.Text;

/// <summary>Reads tokenizer files whole.</summary>
internal static class TokenizerFiles
{
    /// <summary>All bytes of a file.</summary>
    /// <exception cref="TokenizerException">It is absent, unreadable or far too large.</exception>
    public static byte[] ReadAll(string path)
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists)
                throw new TokenizerException(path, "there is no such file");
            if (file.Length > Limits.LargestFile)
                throw new TokenizerException(path, $"{file.Length} bytes are too many for a tokenizer file; at most {Limits.LargestFile} are read");
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException(path, $"cannot be read: {e.Message}");
        }
    }
}
