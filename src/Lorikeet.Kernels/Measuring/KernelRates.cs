using System.Globalization;
using System.Text;

namespace Lorikeet.Kernels;

/// <summary>How fast one core ran each candidate on a small product: 10⁹ operations a second, 0 where it cannot run.</summary>
/// <param name="Compiled">Singles, by compiled code.</param>
/// <param name="Assembled">Singles, by assembled code.</param>
/// <param name="BF16">Factors rounded to bfloat16, by assembled code.</param>
internal sealed record KernelRates(double Compiled, double Assembled, double BF16)
{
    private const string Prefix = "kernels-";

    // of some builds side by side, on some processors that share a home
    private const int MostFiles = 16;

    private const string Heading = "lorikeet kernel rates 1";

    /// <summary>Reads what <see cref="Save"/> wrote for the same processor and build, or null where there is nothing of use.</summary>
    public static KernelRates? Load(string file)
    {
        try
        {
            if (!File.Exists(file) || new FileInfo(file).Length > 4096)
                return null;
            string[] lines = File.ReadAllLines(file);
            if (lines.Length < 4 || lines[0] != Heading)
                return null;
            double[] rates = [.. lines[1..4].Select(line => double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) ? rate : -1)];
            return rates.All(rate => rate is >= 0 and < 1e6) && rates[0] > 0 ? new KernelRates(rates[0], rates[1], rates[2]) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Writes the rates beside the file and renames; where that cannot be done, the next process measures again.</summary>
    public void Save(string file)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            string aside = $"{file}.{Environment.ProcessId}";
            StringBuilder text = new(Heading + "\n");
            foreach (double rate in new[] { Compiled, Assembled, BF16 })
                text.Append(rate.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
            File.WriteAllText(aside, text.ToString());
            File.Move(aside, file, overwrite: true);
            // every build leaves one
            foreach (FileInfo old in new DirectoryInfo(Path.GetDirectoryName(file)!).GetFiles(Prefix + "*.txt").OrderByDescending(known => known.LastWriteTimeUtc).Skip(MostFiles))
                old.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
        }
    }

    /// <summary>The file of this processor and this build in the user's folder for caches, or null where there is no such folder.</summary>
    public static string? DefaultFile()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string? folder = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given ? given
            : home.Length == 0 ? null
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Path.Combine(home, ".cache");
        string build = typeof(KernelRates).Module.ModuleVersionId.ToString("N")[..8];
        return string.IsNullOrEmpty(folder) ? null : Path.Combine(folder, "lorikeet", $"{Prefix}{ProcessorFeatures.Model}-{ProcessorFeatures.Bits:x}-{build}.txt");
    }
}
