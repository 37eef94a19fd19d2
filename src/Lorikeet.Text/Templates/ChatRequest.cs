namespace Lorikeet.Text;

/// <summary>One conversation to render, with everything its template may want to know.</summary>
public sealed record ChatRequest
{
    /// <summary>The messages: a JSON array of objects with <c>role</c>, <c>content</c> and whatever else the template reads.</summary>
    public required TemplateValue Messages { get; init; }

    /// <summary>The tools: a JSON array of function schemas, or none.</summary>
    public TemplateValue Tools { get; init; }

    /// <summary>Documents for retrieval: a JSON array of objects, or none.</summary>
    public TemplateValue Documents { get; init; }

    /// <summary>Whether the text ends with the beginning of the assistant's answer.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>Whether the text ends inside the last message, for the model to go on with it.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>
    /// Every other variable: special tokens (<c>bos_token</c> …), switches such as <c>enable_thinking</c>. One called like a property of this
    /// request, <c>documents</c> for instance, takes its place.
    /// </summary>
    public IReadOnlyDictionary<string, TemplateValue> Variables { get; init; } = new Dictionary<string, TemplateValue>();

    /// <summary>What <c>strftime_now</c> takes for now; the clock of the machine where it is null.</summary>
    public DateTime? Now { get; init; }
}
