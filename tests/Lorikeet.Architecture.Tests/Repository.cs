using System.Diagnostics;
using System.Text;
using System.Xml.Linq;

namespace Lorikeet.Architecture.Tests;

/// <summary>The files of the repository as git tracks them, read as text; no assembly is loaded.</summary>
internal static class Repository
{
    private static readonly string[] TextExtensions =
        [".cs", ".csproj", ".props", ".targets", ".slnx", ".json", ".yaml", ".yml", ".md", ".txt", ".sh", ".html", ".css", ".js", ".config", ""];

    /// <summary>Every tracked file that exists, relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> Files { get; } = ListFiles();

    /// <summary>The tracked files that people write: neither binary nor reference data nor lock files.</summary>
    public static IReadOnlyList<string> TextFiles { get; } =
    [
        .. Files.Where(file => TextExtensions.Contains(Path.GetExtension(file)))
            .Where(file => !file.StartsWith("tests/goldens/", StringComparison.Ordinal) && Path.GetFileName(file) != "packages.lock.json"),
    ];

    /// <summary>The C# files under one of the top folders, such as <c>src</c>.</summary>
    public static IEnumerable<string> CodeFiles(params string[] folders) =>
        Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && folders.Any(folder => file.StartsWith($"{folder}/", StringComparison.Ordinal)));

    /// <summary>The names of the projects under one of the top folders: <c>Lorikeet.Kernels</c>, not its path.</summary>
    public static IReadOnlyList<string> Projects(string folder) =>
    [
        .. Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) && file.StartsWith($"{folder}/", StringComparison.Ordinal))
            .Select(file => Path.GetFileNameWithoutExtension(file)),
    ];

    /// <summary>The project file of a name, read as XML.</summary>
    public static XDocument ProjectFile(string project) =>
        XDocument.Load(FullPath(Files.Single(file => Path.GetFileName(file) == $"{project}.csproj")));

    /// <summary>The text of a tracked file.</summary>
    public static string Read(string file) => File.ReadAllText(FullPath(file));

    /// <summary>The lines of a tracked file.</summary>
    public static string[] Lines(string file) => File.ReadAllLines(FullPath(file));

    /// <summary>The size of a tracked file in bytes.</summary>
    public static long Size(string file) => new FileInfo(FullPath(file)).Length;

    private static string FullPath(string file) => Path.Combine(GoldenData.Root, file);

    private static List<string> ListFiles()
    {
        List<string> files = ListTracked() ?? ListOnDisk();
        return [.. files.Where(file => File.Exists(FullPath(file))).Order(StringComparer.Ordinal)];
    }

    /// <summary>Asks git, new files that it does not ignore included; null where there is no git or no repository, as in a source archive.</summary>
    private static List<string>? ListTracked()
    {
        try
        {
            ProcessStartInfo start = new("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            {
                WorkingDirectory = GoldenData.Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardOutputEncoding = Encoding.UTF8,
            };
            using Process git = Process.Start(start)!;
            git.ErrorDataReceived += (_, _) => { };
            git.BeginErrorReadLine();
            string[] files = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
            git.WaitForExit();
            return git.ExitCode == 0 ? [.. files.Distinct()] : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static List<string> ListOnDisk()
    {
        List<string> files = [.. Directory.EnumerateFiles(GoldenData.Root).Select(file => Path.GetFileName(file))];
        foreach (string folder in new[] { "src", "tests", "bench", "samples", "docs", ".ci" })
        {
            string path = FullPath(folder);
            if (Directory.Exists(path))
                files.AddRange(Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(GoldenData.Root, file).Replace('\\', '/')));
        }
        return files.FindAll(file => !file.Contains("/bin/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal));
    }
}
