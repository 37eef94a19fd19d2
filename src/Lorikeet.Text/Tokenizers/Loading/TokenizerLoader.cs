namespace Lorikeet.Text;

/// <summary>Finds out which kind of tokenizer lies in a folder or file.</summary>
internal static class TokenizerLoader
{
    public static Tokenizer Load(string folderOrFile)
    {
        if (Directory.Exists(folderOrFile))
            return TokenizerJson.Load(Path.Combine(folderOrFile, "tokenizer.json"), TokenizerSettings.Read(folderOrFile));
        return TokenizerJson.Load(folderOrFile, TokenizerSettings.Read(Path.GetDirectoryName(folderOrFile)));
    }
}
