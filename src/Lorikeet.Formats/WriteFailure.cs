using System.Globalization;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>What to tell somebody whose file or folder could not be written.</summary>
internal static class WriteFailure
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
    public static InputException Of(string path, string aside, Exception e)
    {
        if (IsTooLarge(e))
            return new UnavailableException($"{path}: cannot be written (it is larger than a file may be there: a quota, or ulimit -f); what was there before is unchanged. Raise the limit or choose another place, then run again", e);
        if (!IsFull(e))
            return new InputException($"{path}: cannot be written ({e.Message.Replace(aside, path, StringComparison.Ordinal).TrimEnd('.')}); what was there before is unchanged", e);
        string free = FreeSpace(Path.GetDirectoryName(aside)!) is { } bytes ? string.Create(CultureInfo.InvariantCulture, $", {bytes:N0} bytes of free space are left") : "";
        return new UnavailableException($"{path}: the disk is full{free}; what was there before is unchanged. Make room or choose another place, then run again", e);
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
