namespace Lorikeet.Text.Tests;

public sealed class StrfTimeTests
{
    // Thursday the 29th of February 2024, five minutes past eleven in the evening.
    [Theory]
    [InlineData("%Y-%m-%d", "2024-02-29")]
    [InlineData("%d %B %Y", "29 February 2024")]
    [InlineData("%d %b %Y", "29 Feb 2024")]
    [InlineData("%A, %a", "Thursday, Thu")]
    [InlineData("%H:%M:%S", "23:05:09")]
    [InlineData("%I:%M %p", "11:05 PM")]
    [InlineData("%-d/%-m/%y %-I", "29/2/24 11")]
    [InlineData("%j %U %W %w %u %V %G", "060 08 09 4 4 09 2024")]
    [InlineData("%F %T %D %R", "2024-02-29 23:05:09 02/29/24 23:05")]
    [InlineData("%c", "Thu Feb 29 23:05:09 2024")]
    [InlineData("%e %k %f %^a %%", "29 23 000000 THU %")]
    [InlineData("no directive", "no directive")]
    public void Dates_are_written_as_strftime_writes_them(string format, string text) =>
        Jinja.Render("{{ strftime_now('" + format + "') }}").ShouldBe(text);

    [Fact]
    public void Without_a_frozen_clock_the_time_is_now()
    {
        ChatRequest request = Jinja.Request("{}") with { Now = null };
        string year = ChatTemplate.Parse("{{ strftime_now('%Y') }}", "test").Render(request).Text;
        int.Parse(year, System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(2024);
    }
}
