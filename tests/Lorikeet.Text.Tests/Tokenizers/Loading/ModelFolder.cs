namespace Lorikeet.Text.Tests;

/// <summary>A folder of files that a test writes, gone when the test ends.</summary>
internal sealed class ModelFolder : IDisposable
{
    public ModelFolder(params (string Name, string Content)[] files)
    {
        Path = Directory.CreateTempSubdirectory("lorikeet-tokenizer-").FullName;
        foreach ((string name, string content) in files)
            File.WriteAllText(System.IO.Path.Combine(Path, name), content);
    }

    public string Path { get; }

    public string Add(string name, byte[] content)
    {
        string path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
