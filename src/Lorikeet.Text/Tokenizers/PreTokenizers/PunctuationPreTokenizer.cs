using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Punctuation</c>: cuts at punctuation, which includes the symbols of ASCII.</summary>
internal sealed class PunctuationPreTokenizer(SplitBehavior behavior) : CharacterPreTokenizer(behavior)
{
    protected override bool IsMatch(Rune rune) => Characters.IsPunctuation(rune);
}
