using System.Text;

namespace Lorikeet.Text;

/// <summary><c>WhitespaceSplit</c>: cuts at blanks and leaves them out.</summary>
internal sealed class BlankPreTokenizer() : CharacterPreTokenizer(SplitBehavior.Removed)
{
    protected override bool IsMatch(Rune rune) => Characters.IsBlank(rune);
}
