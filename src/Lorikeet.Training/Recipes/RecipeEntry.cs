namespace Lorikeet.Training;

/// <summary>One key of a map in a recipe.</summary>
/// <param name="Key">The key.</param>
/// <param name="KeyLocation">Where the key was written.</param>
/// <param name="Value">Its value.</param>
public sealed record RecipeEntry(string Key, RecipeLocation KeyLocation, RecipeNode Value);
