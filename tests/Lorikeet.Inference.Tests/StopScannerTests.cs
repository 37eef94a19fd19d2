namespace Lorikeet.Inference.Tests;

/// <summary>Stop strings in text that comes in pieces.</summary>
public class StopScannerTests
{
    [Theory]
    [InlineData("one two three", "two", "one ")]
    [InlineData("one two three", "four", "one two three")]
    [InlineData("aaab", "aab", "a")]
    [InlineData("ababac", "abac", "ab")]
    [InlineData("stop", "stop", "")]
    [InlineData("sto", "stop", "sto")]
    [InlineData("x\n\ny", "\n\n", "x")]
    public void The_text_ends_before_the_stop_string_however_it_is_cut(string text, string stop, string expected)
    {
        for (int first = 0; first <= text.Length; first++)
        {
            for (int second = first; second <= text.Length; second++)
            {
                StopScanner scanner = new([stop]);
                string written = scanner.Append(text[..first]) + scanner.Append(text[first..second]) + scanner.Append(text[second..]);
                scanner.Stopped.ShouldBe(text.Contains(stop, StringComparison.Ordinal));
                (written + scanner.Finish()).ShouldBe(expected);
            }
        }
    }

    [Fact]
    public void The_first_of_several_counts()
    {
        StopScanner scanner = new(["late", "early"]);
        scanner.Append("an early and a late one").ShouldBe("an ");
    }

    [Fact]
    public void Nothing_of_a_possible_stop_string_is_given_out()
    {
        StopScanner scanner = new(["<end>"]);
        scanner.Append("a<e").ShouldBe("a");
        scanner.Append("n").ShouldBe("");
        scanner.Append("ough").ShouldBe("<enough");
        scanner.Append("<en").ShouldBe("");
        scanner.Append("d>b").ShouldBe("");
        scanner.Stopped.ShouldBeTrue();
    }
}
