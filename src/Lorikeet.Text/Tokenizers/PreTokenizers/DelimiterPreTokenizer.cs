using System.Text;

namespace Lorikeet.Text;

/// <summary><c>CharDelimiterSplit</c>: cuts at one character and leaves it out.</summary>
internal sealed class DelimiterPreTokenizer(Rune delimiter) : CharacterPreTokenizer(SplitBehavior.Removed)
{
    protected override bool IsMatch(Rune rune) => rune == delimiter;
}
