namespace Lorikeet.Text;

/// <summary>One part of a <see cref="SpecialTokenTemplate"/>: a text's own tokens, or tokens that are put around them.</summary>
/// <param name="Sequence">0 for the first text, 1 for the second, -1 for added tokens.</param>
/// <param name="Ids">The added tokens.</param>
/// <param name="TypeId">What <see cref="TokenizedText.TypeIds"/> says of this part.</param>
internal sealed record TemplatePart(int Sequence, int[] Ids, int TypeId);
