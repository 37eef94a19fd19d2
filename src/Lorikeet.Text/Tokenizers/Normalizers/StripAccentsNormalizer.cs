using System.Text;

namespace Lorikeet.Text;

/// <summary><c>StripAccents</c>: drops combining marks (category M); it is meant to follow a decomposition.</summary>
internal sealed class StripAccentsNormalizer : CharacterNormalizer
{
    protected override int Map(Rune rune) => (Characters.KindOf(rune) & CharacterKind.Mark) != 0 ? Dropped : rune.Value;
}
