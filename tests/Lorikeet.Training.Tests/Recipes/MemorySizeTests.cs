namespace Lorikeet.Training.Tests;

public class MemorySizeTests
{
    [Theory]
    [InlineData("900MB", 900_000_000)]
    [InlineData("1.5GB", 1_500_000_000)]
    [InlineData("1 GiB", 1L << 30)]
    [InlineData(" 350m ", 350_000_000)]
    public void Sizes_are_numbers_with_a_unit(string text, long bytes) => MemorySize.Parse(text).ShouldBe(bytes);

    [Theory]
    [InlineData("")]
    [InlineData("GB")]
    [InlineData("1000")]
    [InlineData("-1GB")]
    [InlineData("0MB")]
    [InlineData("1,5GB")]
    [InlineData("1e30GB")]
    public void Other_texts_are_none(string text) => MemorySize.Parse(text).ShouldBeNull();
}
