using System.Text.Json.Nodes;

namespace Lorikeet.Training;

/// <summary>A row of data as its file says it, before it becomes tokens.</summary>
/// <param name="Origin">Where it stands.</param>
public abstract record DataRow(RowOrigin Origin);

/// <summary>Running text: all of it is learned.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Text">The text.</param>
public sealed record TextRow(RowOrigin Origin, string Text) : DataRow(Origin);

/// <summary>A prompt and what should follow it.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Prompt">What is given.</param>
/// <param name="Completion">What is learned.</param>
public sealed record PromptRow(RowOrigin Origin, string Prompt, string Completion) : DataRow(Origin);

/// <summary>A conversation: what the assistant says is learned.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Messages">Objects with <c>role</c> and <c>content</c>, as a chat template takes them.</param>
/// <param name="Tools">Functions that the assistant may call, or null.</param>
/// <param name="Given">Messages at the beginning that are given, even where the assistant speaks.</param>
public sealed record ChatRow(RowOrigin Origin, JsonArray Messages, JsonArray? Tools, int Given) : DataRow(Origin);
