namespace Lorikeet.Tensors.Tests;

public class NativeBytesTests
{
    [Fact]
    public void A_part_lies_inside_the_whole()
    {
        NativeBuffer buffer = new(100);
        buffer.Span[40] = 7;
        NativeBytes part = buffer.Bytes.Slice(30, 20);
        (part.Length, part.Span[10], part.Slice(10, 1).Span[0], part.Slice(20, 0).Length).ShouldBe((20L, (byte)7, (byte)7, 0L));
        foreach ((long offset, long length) in new[] { (-1L, 1L), (0L, -1L), (0L, 21L), (20L, 1L), (long.MaxValue, 1L), (1L, long.MaxValue), (long.MinValue, long.MaxValue) })
            Should.Throw<ArgumentOutOfRangeException>(() => part.Slice(offset, length));
        GC.KeepAlive(buffer);
    }

    [Fact]
    public void Bytes_are_written_to_a_stream()
    {
        NativeBuffer buffer = new(3);
        buffer.Span[2] = 9;
        using MemoryStream stream = new();
        buffer.Bytes.CopyTo(stream);
        stream.ToArray().ShouldBe([0, 0, 9]);
    }

    [Fact]
    public void A_buffer_is_aligned_zero_and_may_be_empty()
    {
        using NativeBuffer buffer = new(1000), empty = new(0);
        buffer.Span.ToArray().ShouldAllBe(value => value == 0);
        empty.Length.ShouldBe(0);
        empty.Bytes.Span.Length.ShouldBe(0);
        Should.Throw<ArgumentOutOfRangeException>(() => new NativeBuffer(-1));
        buffer.Dispose();
        buffer.Dispose();
    }
}
