namespace Lorikeet.Training;

/// <summary>A piece of a row within a pack.</summary>
/// <param name="Row">Which row.</param>
/// <param name="Start">Its first token in the row.</param>
/// <param name="Count">How many tokens.</param>
public readonly record struct PackSegment(int Row, int Start, int Count);
