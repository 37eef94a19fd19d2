namespace Lorikeet.Training;

/// <summary>A prompt and what should follow it.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Prompt">What is given.</param>
/// <param name="Completion">What is learned.</param>
public sealed record PromptRow(RowOrigin Origin, string Prompt, string Completion) : DataRow(Origin);
