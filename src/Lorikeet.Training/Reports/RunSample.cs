namespace Lorikeet.Training;

/// <summary>What a model answered before and after training.</summary>
/// <param name="Prompt">What it was given.</param>
/// <param name="Before">Its answer before.</param>
/// <param name="After">Its answer after.</param>
/// <param name="Expected">The answer in the data, or null.</param>
public sealed record RunSample(string Prompt, string Before, string After, string? Expected);
