namespace Lorikeet.Cli;

/// <summary>
/// Standard output or standard error. A failure to write becomes an <see cref="OutputException"/>, so that nobody takes it for a failure of the file
/// that is being read or written at that moment.
/// </summary>
/// <param name="inner">Takes the bytes.</param>
/// <param name="mayFail">True for standard error: where it cannot be written there is nobody left to tell.</param>
internal sealed class OutputStream(Stream inner, bool mayFail = false) : Stream
{
    // EPIPE of Unix, ERROR_BROKEN_PIPE and ERROR_NO_DATA of Windows
    private static readonly int[] Closed = [32, unchecked((int)0x8007006D), unchecked((int)0x800700E8)];

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            inner.Write(buffer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!mayFail)
                throw new OutputException(e, Closed.Contains(e.HResult));
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        try
        {
            inner.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!mayFail)
                throw new OutputException(e, Closed.Contains(e.HResult));
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
