using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Nmt</c>: drops control characters and turns unusual blanks into plain ones, as SentencePiece's nmt rules do.</summary>
internal sealed class NmtNormalizer : CharacterNormalizer
{
    protected override int Map(Rune rune) => rune.Value switch
    {
        (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F => Dropped,
        0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => ' ',
        _ => rune.Value,
    };
}
