using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Digits</c>: cuts at characters of category N, each by itself or in runs.</summary>
internal sealed class DigitsPreTokenizer(bool individual) : CharacterPreTokenizer(individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous)
{
    protected override bool IsMatch(Rune rune) => (Characters.KindOf(rune) & CharacterKind.Number) != 0;
}
