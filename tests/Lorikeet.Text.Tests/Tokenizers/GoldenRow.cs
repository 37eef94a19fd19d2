namespace Lorikeet.Text.Tests;

/// <summary>What one tokenizer makes of one text; tokens and stream are null where the set does not hold them.</summary>
internal sealed record GoldenRow(
    string Text, int[] Ids, (int Start, int End)[] Offsets, string[]? Tokens, string Decoded, string DecodedWithoutSpecials, string?[]? Stream);
