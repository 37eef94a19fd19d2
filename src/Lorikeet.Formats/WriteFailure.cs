using System.Globalization;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>What to tell somebody whose file or folder could not be written.</summary>
public static class WriteFailure
{
    // ENOSPC and EDQUOT of Unix (the latter on Linux and on macOS), ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows
    private static readonly int[] Full = [28, 122, 69, unchecked((int)0x80070070), unchecked((int)0x80070027)];

    /// <summary>True for a failure of the file system, as opposed to one of whatever was to be written.</summary>
    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException || IsTooLarge(e);

    /// <summary>True where there is no room.</summary>
    public static bool IsFull(Exception e) => e is IOException && Full.Contains(e.HResult);

    /// <summary>The failure in words.</summary>
    /// <param name="path">The final place.</param>
    /// <param name="aside">Where it was written, which is nobody's concern.</param>
    /// <param name="e">The failure.</param>
    public static InputException Of(string path, string aside, Exception e) => Of(path, aside, e, "what was there before is unchanged");

    /// <summary>The failure of adding to the end of a file, in words.</summary>
    /// <param name="path">The file.</param>
    /// <param name="e">The failure.</param>
    public static InputException OfAddition(string path, Exception e) => Of(path, path, e, "what was written before is kept, the end may be cut off");

    private static InputException Of(string path, string aside, Exception e, string before)
    {
        if (IsTooLarge(e))
            return new UnavailableException($"{path}: cannot be written (it is larger than a file may be there: a quota, or ulimit -f); {before}. Raise the limit or choose another place, then run again", e);
        if (!IsFull(e))
        {
            string reason = Obstacle(path) ?? e.Message.Replace(aside, path, StringComparison.Ordinal).TrimEnd('.');
            return new InputException($"{path}: cannot be written ({reason}); {before}. Choose another place, or make this one free", e);
        }
        string free = FreeSpace(Path.GetDirectoryName(aside)!) is { } bytes ? string.Create(CultureInfo.InvariantCulture, $", {bytes:N0} bytes of free space are left") : "";
        return new UnavailableException($"{path}: the disk is full{free}; {before}. Make room or choose another place, then run again", e);
    }

    /// <summary>Refuses, before any work is done, a place that something stands in the way of.</summary>
    /// <param name="name">What the message calls it.</param>
    /// <param name="obstacle">What stands there; null for nothing.</param>
    internal static void Refuse(string name, string? obstacle)
    {
        if (obstacle is not null)
            throw new InputException($"{name}: cannot be written ({obstacle}); choose another place, or make this one free");
    }

    /// <summary>What stands in the way of a file or folder that is not there yet: a file where a folder is needed, or a folder that nothing may be put into. Null where nothing does.</summary>
    internal static string? Obstacle(string path)
    {
        string? folder = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        while (folder is not null && !Directory.Exists(folder))
        {
            if (File.Exists(folder))
                return $"{folder} is a file, where a folder is needed";
            folder = Path.GetDirectoryName(folder);
        }
        if (folder is null)
            return null;
        // permissions alone do not say it: there are systems of files that take none, and users who may do everything
        string probe = AtomicFile.AsideOf(Path.Combine(folder, "probe"));
        try
        {
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return $"you may put nothing into {folder}: its permissions do not allow it";
        }
        catch (IOException e)
        {
            return IsFull(e) ? $"the disk of {folder} is full" : $"the system lets nothing be put into {folder}";
        }
    }

    /// <summary>A failure of a file within a folder, under the folder's final name.</summary>
    public static InputException Renamed(InputException e, string aside, string path)
    {
        string message = e.Message.Replace(aside, path, StringComparison.Ordinal);
        return e is UnavailableException ? new UnavailableException(message, e) : new InputException(message, e);
    }

    /// <summary>Free space of the disk that a folder lies on; null where the system does not tell.</summary>
    public static long? FreeSpace(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    // what a FileStream makes of a file that is too large for its disk
    private static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException { ParamName: "value" };
}
