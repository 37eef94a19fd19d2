using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Training;

/// <summary>
/// Keeps two runs out of one output folder. The system gives the lock up when its process ends, however it ends; the empty file stays, since
/// removing it would let a third run lock a file that no other sees.
/// </summary>
internal sealed class OutputLock : IDisposable
{
    private readonly FileStream _file;

    private OutputLock(FileStream file) => _file = file;

    /// <summary>Takes the lock of a folder, which is made where it is missing.</summary>
    /// <exception cref="InputException">Another run holds it.</exception>
    public static OutputLock Take(string folder)
    {
        string path = Path.Combine(folder, ".lock");
        try
        {
            Directory.CreateDirectory(folder);
            return new OutputLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e.HResult is SharingViolation or WouldBlock or WouldBlockMac)
        {
            throw new InputException($"{folder}: another run is writing into this folder; wait until it ends, or give this one an output of its own");
        }
        catch (Exception e) when (WriteFailure.Is(e))
        {
            throw WriteFailure.Of(path, path, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    // how Windows and Unix say that a file is held by somebody else
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int WouldBlock = 11;
    private const int WouldBlockMac = 35;
}
