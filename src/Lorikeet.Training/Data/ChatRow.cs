using System.Text.Json.Nodes;

namespace Lorikeet.Training;

/// <summary>A conversation: what the assistant says is learned.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Messages">Objects with <c>role</c> and <c>content</c>, as a chat template takes them.</param>
/// <param name="Tools">Functions that the assistant may call, or null.</param>
/// <param name="Given">Messages at the beginning that are given, even where the assistant speaks.</param>
public sealed record ChatRow(RowOrigin Origin, JsonArray Messages, JsonArray? Tools, int Given) : DataRow(Origin);
