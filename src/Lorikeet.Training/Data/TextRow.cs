namespace Lorikeet.Training;

/// <summary>Running text: all of it is learned.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Text">The text.</param>
public sealed record TextRow(RowOrigin Origin, string Text) : DataRow(Origin);
