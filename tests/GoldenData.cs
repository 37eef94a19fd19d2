using System.Runtime.CompilerServices;

namespace Lorikeet.Goldens;

/// <summary>Finds the reference outputs that tests compare with: small sets inside the repository, larger ones beside it.</summary>
internal static class GoldenData
{
    /// <summary>The repository's root folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A folder or file under <c>tests/goldens</c>; it is always there.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, "tests", "goldens", .. parts]);

    /// <summary>
    /// A folder or file of the larger sets that may lie beside the repository in <c>../shared/data</c>.
    /// Skips the calling test, saying so, where they are absent.
    /// </summary>
    public static string Shared(params string[] parts)
    {
        string path = System.IO.Path.Combine([Root, "..", "shared", "data", .. parts]);
        if (!Directory.Exists(path) && !File.Exists(path))
            Assert.Skip($"needs the larger data set shared/data/{string.Join('/', parts)}, which is not beside this checkout");
        return path;
    }

    /// <summary>True where the larger sets lie beside the repository.</summary>
    public static bool HasShared => Directory.Exists(System.IO.Path.Combine(Root, "..", "shared", "data"));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        foreach (string start in new[] { System.IO.Path.GetDirectoryName(here)!, AppContext.BaseDirectory })
        {
            for (string? folder = start; folder is not null; folder = System.IO.Path.GetDirectoryName(folder))
                if (File.Exists(System.IO.Path.Combine(folder, "Lorikeet.slnx")))
                    return folder;
        }
        throw new DirectoryNotFoundException("Lorikeet.slnx was not found above the test assembly");
    }
}
