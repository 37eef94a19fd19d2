namespace Lorikeet.Training;

/// <summary>What a row of data says, told by its fields.</summary>
public enum RowFormat
{
    /// <summary>A chat: <c>messages</c> with <c>role</c> and <c>content</c>, and perhaps <c>tools</c>.</summary>
    Messages,
    /// <summary>A chat: <c>conversations</c> with <c>from</c> and <c>value</c>, and perhaps <c>system</c> and <c>tools</c>.</summary>
    Sharegpt,
    /// <summary><c>prompt</c> and <c>completion</c>: texts, or lists of messages.</summary>
    PromptCompletion,
    /// <summary><c>instruction</c>, perhaps <c>input</c>, and <c>output</c>.</summary>
    Alpaca,
    /// <summary><c>text</c>.</summary>
    Text,
}
