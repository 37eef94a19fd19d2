namespace Lorikeet.Formats.Tests;

public sealed class CodePointOrderTests
{
    [Fact]
    public void Strings_sort_as_their_utf8_bytes_do()
    {
        Random random = new(3);
        string[] alphabet = ["a", "b", ".", "é", "漢", "\uE000", "\uFFFD", "😀", "𐀀"];
        string[] words = [.. Enumerable.Range(0, 300).Select(_ => string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => alphabet[random.Next(alphabet.Length)])))];
        string[] expected = [.. words.OrderBy(word => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(word)), StringComparer.Ordinal)];
        words.Order(CodePointOrder.Instance).ShouldBe(expected);
    }
}
