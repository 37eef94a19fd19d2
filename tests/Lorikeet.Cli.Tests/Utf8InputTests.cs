using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Tests;

/// <summary>Text that comes in.</summary>
public class Utf8InputTests
{
    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("é€😀\r\nzwei\n")]
    [InlineData("\ufeffwith a mark")]
    public void Text_comes_out_as_it_is_however_it_arrives(string text)
    {
        string long_ = string.Concat(Enumerable.Repeat(text, 9000));
        foreach (string each in new[] { text, long_ })
        {
            foreach (int step in new[] { 1, 3, 1 << 20 })
            {
                using Utf8Input input = new(new SlowStream(Encoding.UTF8.GetBytes(each), step), "in");
                input.ReadToEnd().ShouldBe(each.StartsWith('\ufeff') ? each[1..] : each);
            }
        }
    }

    [Fact]
    public void Lines_can_be_read_as_they_come()
    {
        using Utf8Input input = new(new SlowStream("one\r\ntwo\n\nlast"u8.ToArray(), 2), "in");
        string?[] lines = [input.ReadLine(), input.ReadLine(), input.ReadLine(), input.ReadLine(), input.ReadLine()];
        lines.ShouldBe(["one", "two", "", "last", null]);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'c', (byte)'a', (byte)'f', 0xE9, (byte)'\n' }, "in, line 1: byte 4 of the line (0xE9) is not UTF-8")]
    [InlineData(new byte[] { (byte)'a', (byte)'\n', 0xC3, 0xA9, 0xFF }, "in, line 2: byte 3 of the line (0xFF) is not UTF-8")]
    [InlineData(new byte[] { (byte)'a', 0xE2, 0x82 }, "in, line 1: byte 2 of the line (0xE2) is not UTF-8")]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'a', 0 }, "in: found UTF-16 text")]
    public void Bytes_that_are_no_text_are_refused_by_their_place(byte[] bytes, string problem)
    {
        foreach (int step in new[] { 1, 64 })
        {
            using Utf8Input input = new(new SlowStream(bytes, step), "in");
            Should.Throw<InputException>(input.ReadToEnd).Message.ShouldStartWith(problem);
        }
    }

    // hands out a few bytes at a time, as pipes do
    private sealed class SlowStream(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, step));
    }
}
